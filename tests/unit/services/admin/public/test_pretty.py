from services.admin.public.pretty import pretty_json


def test_it_is_laid_out_in_lines() -> None:
    assert pretty_json({"a": [1, "é"], "b": {}, "c": []}) == (
        '{\n  "a": [\n    1,\n    "é"\n  ],\n  "b": {},\n  "c": []\n}'
    )
