"""State that travels through a client: opened only by the gateway that sealed it, used only where it came from."""

import pytest

from oneapi.dialects.canonical.parts import State
from oneapi.dialects.canonical.seal import PREFIX, Seal

STATE = State("anthropic_messages", value={"thinking": "hm", "signature": "c2ln"})


def test_a_token_comes_back_as_it_was() -> None:
    seal = Seal(b"secret", "channel-1")
    opened = seal.open(seal.close(STATE))
    assert opened == State("anthropic_messages", "channel-1", STATE.value)
    assert seal.usable(opened, "anthropic_messages")
    assert not seal.usable(opened, "openai_chat")
    assert not Seal(b"secret", "channel-2").usable(opened, "anthropic_messages")
    assert not seal.usable(None, "anthropic_messages")


@pytest.mark.parametrize("token", ["", "c2ln", PREFIX, PREFIX + "!!", PREFIX + "A", PREFIX + "é", PREFIX + "AAAA" * 20])
def test_what_is_no_token(token: str) -> None:
    assert Seal(b"secret").open(token) is None


def test_forgeries() -> None:
    token = Seal(b"secret").close(STATE)
    assert Seal(b"another").open(token) is None
    assert all(Seal(b"secret").open(token[:place] + "-" + token[place + 1 :]) is None for place in range(4, 40))


def test_a_previous_secret_opens_and_the_current_one_closes() -> None:
    old = Seal(b"old", "channel-1").close(STATE)
    seal = Seal(b"new", "channel-1", [b"older", b"old"])
    assert seal.open(old) == State("anthropic_messages", "channel-1", STATE.value)
    assert seal.close(STATE) == Seal(b"new", "channel-1").close(STATE)
    assert Seal(b"old").open(seal.close(STATE)) is None
