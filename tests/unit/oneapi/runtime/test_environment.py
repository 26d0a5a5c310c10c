"""Settings from the environment."""

import pytest

from oneapi.runtime.environment import Environment, SettingError, forget_proxies

ENV = Environment({"TEXT": " a ", "EMPTY": " ", "NUMBER": "12", "HALF": "0.5", "ON": "Yes", "OFF": "0", "BAD": "x"})


def test_text() -> None:
    assert ENV.text("TEXT") == "a"
    assert ENV.text("EMPTY", "b") == "b"
    assert ENV.text("ABSENT", "") == ""
    assert ENV.optional("EMPTY") is None
    with pytest.raises(SettingError) as problem:
        ENV.text("ABSENT")
    assert str(problem.value) == "The setting ABSENT is required and is not set."
    assert problem.value.name == "ABSENT"


def test_numbers() -> None:
    assert ENV.integer("NUMBER", 1) == 12
    assert ENV.integer("ABSENT", 1) == 1
    assert ENV.number("HALF", 1) == 0.5
    assert ENV.number("ABSENT", 2) == 2
    for name in ("integer", "number"):
        with pytest.raises(SettingError, match="must be a"):
            getattr(ENV, name)("BAD", 1)
        with pytest.raises(SettingError, match="required"):
            getattr(ENV, name)("ABSENT")
        with pytest.raises(SettingError, match="at least 13"):
            getattr(ENV, name)("NUMBER", 1, low=13)
        with pytest.raises(SettingError, match="at most 11"):
            getattr(ENV, name)("NUMBER", 1, high=11)
        with pytest.raises(SettingError, match="between 1 and 11"):
            getattr(ENV, name)("NUMBER", 1, low=1, high=11)


def test_lists() -> None:
    env = Environment({"LIST": " a ,, b", "ONE": "a"})
    assert env.texts("LIST", 2) == ("a", "b")
    assert env.texts("ONE", 1) == ("a",)
    assert env.texts("ABSENT", 2) == ()
    with pytest.raises(SettingError, match="LIST must hold at most 1, separated by commas"):
        env.texts("LIST", 1)


def test_log_levels() -> None:
    assert Environment({}).log_level("LEVEL") == "info"
    assert Environment({"LEVEL": "Debug"}).log_level("LEVEL") == "Debug"
    with pytest.raises(SettingError, match="LEVEL must be debug"):
        Environment({"LEVEL": "loud"}).log_level("LEVEL")


@pytest.mark.parametrize("text", ["inf", "nan", "-inf"])
def test_a_number_is_finite(text: str) -> None:
    with pytest.raises(SettingError):
        Environment({"A": text}).number("A", 1)


def test_ports() -> None:
    assert ENV.port("NUMBER") == 12
    assert ENV.port("ABSENT") is None
    assert ENV.port("ABSENT", 3000) == 3000
    for text in ("0", "65536", "http"):
        with pytest.raises(SettingError):
            Environment({"A": text}).port("A")


def test_flags() -> None:
    assert ENV.flag("ON")
    assert not ENV.flag("OFF", default=True)
    assert ENV.flag("ABSENT", default=True)
    with pytest.raises(SettingError, match="1 or 0"):
        ENV.flag("BAD")


def test_addresses() -> None:
    assert Environment({"A": "a:1, [::1]:2,"}).addresses("A") == ("a:1", "[::1]:2")
    assert ENV.addresses("ABSENT", "127.0.0.1:3101") == ("127.0.0.1:3101",)
    for text in ("a", "a:", ":1", "a:x", "a:0", "a:70000", ",", "a:1,b"):
        with pytest.raises(SettingError):
            Environment({"A": text}).addresses("A")


def test_a_problem_never_shows_the_value() -> None:
    with pytest.raises(SettingError) as problem:
        Environment({"A": "hush"}).integer("A")
    assert "hush" not in str(problem.value)


def test_proxies_are_forgotten_and_nothing_else() -> None:
    values = {"HTTP_PROXY": "x", "https_proxy": "x", "All_Proxy": "x", "grpc_proxy": "x", "NO_PROXY": "a", "PATH": "p"}
    forget_proxies(values)
    assert values == {"NO_PROXY": "a", "PATH": "p"}
