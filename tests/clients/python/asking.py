"""What each client here is asked to do, from its environment.

Runs in the clients' own Python, without the gateway's. It must not know which client it is for.
"""

import os

BASE_URL, API_KEY, MODEL, SCENARIO = (os.environ[name] for name in ("BASE_URL", "API_KEY", "MODEL", "SCENARIO"))
PROMPT = "Please call weather: what is the weather in Paris?" if SCENARIO == "tool" else "hi"
RESULT = "18 degrees and rain"

asked: list[str] = []
"""The cities that the weather was asked of."""


def weather(city: str) -> str:
    """The weather in a city."""
    asked.append(city)
    return RESULT


def done(text: str) -> None:
    """Prints the answer, if the tool was called as often as it should be."""
    if len(asked) != (1 if SCENARIO == "tool" else 0):
        raise SystemExit(f"the tool was called {len(asked)} times")
    print(text)
