import pytest

from services.edge.inference.delivered import delivered_bytes


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"id":"chatcmpl-1","choices":[{"message":{"role":"assistant","content":" tok tok"}}]}', 8),
        (
            (
                b'{"choices":[{"message":{"content":null,"refusal":"no","reasoning_content":"abc","tool_calls":'
                b'[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}}]}'
            ),
            7,
        ),
        ('{"choices":[{"message":{"content":"é"}}]}'.encode(), 2),
        (
            (
                b'{"type":"message","content":[{"type":"thinking","thinking":"abc","signature":"zzzz"},'
                b'{"type":"text","text":"de"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}]}'
            ),
            12,
        ),
        (
            (
                b'{"object":"response","instructions":"not this","output":[{"type":"reasoning","summary":'
                b'[{"type":"summary_text","text":"ab"}]},{"type":"message","content":[{"type":"output_text","text":"cd"}]},'
                b'{"type":"function_call","arguments":"{}"}]}'
            ),
            6,
        ),
        (
            (
                b'{"candidates":[{"content":{"role":"model","parts":[{"text":"ab"},{"text":"cd","thought":true},'
                b'{"functionCall":{"name":"f","args":{"a":1}}},{"executableCode":{"language":"PYTHON","code":"xy"}},'
                b'{"codeExecutionResult":{"outcome":"OK","output":"z"}},{"inlineData":{"data":"QUJD"}}]}}]}'
            ),
            14,
        ),
        (b'{"data":[{"embedding":[0.1]}]}', 0),
        (b"not json", 0),
        (b"[]", 0),
    ],
)
def test_content_counts_and_nothing_else(body: bytes, count: int) -> None:
    assert delivered_bytes(body) == count
