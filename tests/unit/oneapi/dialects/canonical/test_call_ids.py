from oneapi.dialects.canonical.call_ids import UniqueCalls, told_apart
from oneapi.dialects.canonical.events import PartDelta, PartStart
from oneapi.dialects.canonical.parts import Message, Text, ToolCall
from oneapi.dialects.canonical.responses import Choice, Response, Stop

GIVEN = ["a", "a", "b", "a_2", "", "", "a"]
APART = ["a", "a_2", "b", "a_2_2", "", "", "a_3"]


def test_calls_of_a_stream_are_told_apart() -> None:
    calls = UniqueCalls()
    starts = [PartStart(key, ToolCall(id=given, name="f")) for key, given in enumerate(GIVEN)]
    for start in starts:
        assert calls.put([start, PartDelta(start.key, "{}")])[0] is start
    assert [start.part.id for start in starts if isinstance(start.part, ToolCall)] == APART
    text = PartStart(9, Text(text="a"))
    assert calls.put([text]) == [text]


def test_each_choice_is_a_message_of_its_own() -> None:
    choices = [
        Choice(
            messages=[Message(role="assistant", parts=[ToolCall(id=given, name="f") for given in GIVEN])], stop=Stop()
        )
        for _ in range(2)
    ]
    for choice in told_apart(Response(dialect="x", choices=choices)).choices:
        assert [part.id for part in choice.parts if isinstance(part, ToolCall)] == APART
