"""Makes the built-in model's answer to a question, as the pieces that are sent.

It decides what a scenario does to an answer. It must not know who asks, nor how the pieces travel.
"""

from oneapi.dialects.registry import DIALECTS
from oneapi.providers.sandbox import answer as sandbox
from services.edge.sandbox.question import Question

CREATED = 1_767_225_600
"""The first second of 2026. A clock would make two answers of one."""


def pieces(dialect: str, question: Question) -> list[bytes]:
    """The whole body, or the stream's events as the dialect's meter lets them go on.

    Raises GatewayError where the scenario is one, and nothing comes before it.
    """
    scenario = question.scenario
    if scenario.error is not None and not (scenario.breaks and question.stream):
        raise scenario.error()
    if not question.stream:
        return [sandbox.whole(dialect, question.raw, question.seed, CREATED, scenario.manner)]
    make = DIALECTS[dialect].meter
    if make is None:
        raise TypeError(f"nothing is streamed in {dialect}")
    meter = make(forward_usage=question.wants_usage)
    events = sandbox.stream(dialect, question.raw, question.seed, CREATED, scenario.manner)
    if scenario.error is None:
        return [meter.feed(event) for event in events]
    begun = [meter.feed(event) for event in events[: len(events) // 2]]
    # Without the request's id: it would be another one each time.
    return [*begun, meter.finish_bytes(scenario.error())]
