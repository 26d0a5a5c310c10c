import json

import pytest

from oneapi.stack.processes import ending, last_words

ERROR = json.dumps({"message": "it failed\n", "level": "error", "exception": "Traceback\n  x\nValueError: no"})
INFO = json.dumps({"message": "it ends", "level": "info"})


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("first\n\nplain text\n\n", "plain text"),
        ('{"other": 1}', '{"other": 1}'),
        (INFO, "it ends"),
        (f"{ERROR}\n{INFO}\n", "it failed: ValueError: no"),
        ("", "it said nothing"),
    ],
)
def test_the_last_error_is_shown_in_plain_words(log: str, words: str) -> None:
    assert last_words(log) == words


@pytest.mark.parametrize(("code", "words"), [(3, "exit code 3"), (0, "exit code 0"), (-9, "killed by SIGKILL")])
def test_an_exit_code_in_words(code: int, words: str) -> None:
    assert ending(code) == words
