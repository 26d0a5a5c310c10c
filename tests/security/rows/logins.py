"""A-18 to A-22: logins, and the sessions that come of them."""

import functools
import uuid
from typing import Any

import httpx2

from tests.e2e.gateway import eventually
from tests.security.table import Absent, Row
from tests.security.world import World

COOKIE = "oneapi_session"
FROM_OUR_PAGES = {"x-oneapi-csrf": "1"}


class Person:
    """A user of an account of its own, and one session."""

    def __init__(self, world: World, role: str = "admin") -> None:
        self.world = world
        self.account = str(world.gateway.create("accounts", name="people", unlimited=True)["id"])
        self.email = f"{uuid.uuid4().hex}@example.com"
        self.password = f"password-{uuid.uuid4().hex}"
        world.canaries.add(self.password)
        fields = {"name": "person", "account_id": self.account, "role": role}
        self.id = str(world.gateway.create("users", email=self.email, password=self.password, **fields)["id"])
        self.cookie = self.login()

    def login(self, password: str = "") -> str:
        answer = login(self.world, email=self.email, password=password or self.password)
        assert answer.status_code == 201, answer.text
        cookie = answer.cookies[COOKIE]
        self.world.canaries.add(cookie)
        said = answer.headers["set-cookie"].lower()
        assert "httponly" in said, said
        assert "samesite=strict" in said, said
        return str(cookie)

    def change(self, **fields: Any) -> None:
        answer = self.world.gateway.admin.patch(f"/api/users/{self.id}", json=fields)
        assert answer.status_code == 200, answer.text


@functools.cache
def visitor(world: World) -> Person:
    """One for the rows that only try things on a session: each login costs a password's hash."""
    return Person(world)


def login(world: World, **given: Any) -> httpx2.Response:
    return httpx2.post(f"{world.gateway.url}/api/session", json=given)


def with_cookie(world: World, cookie: str, method: str = "GET", **headers: str) -> int:
    given = {"cookie": f"{COOKIE}={cookie}", **headers}
    answer = httpx2.request(method, f"{world.gateway.url}/api/session", headers=given)
    return answer.status_code


def ends(world: World, what: str) -> None:
    """A session that is over is nobody's."""
    person = Person(world)
    assert with_cookie(world, person.cookie) == 200
    other = person.login()
    if what == "logout":
        assert with_cookie(world, person.cookie, "DELETE", **FROM_OUR_PAGES) == 204
        assert with_cookie(world, other) == 200, "a logout ends one session"
    elif what == "another role":
        person.change(role="member")
    elif what == "another password":
        person.change(password="another-" + person.password)
    elif what == "user deleted":
        assert world.gateway.admin.delete(f"/api/users/{person.id}").status_code == 204
    else:
        disabled = world.gateway.admin.patch(f"/api/accounts/{person.account}", json={"enabled": False})
        assert disabled.status_code == 200, disabled.text
    assert with_cookie(world, person.cookie) == 401
    if what != "logout":
        assert with_cookie(world, other) == 401


def no_cookie(world: World, value: str) -> None:
    """A cookie that no login gave, or that a client chose before its login."""
    assert with_cookie(world, value) == 401
    person = visitor(world)
    given = {"cookie": f"{COOKIE}={value}"}
    body = {"email": person.email, "password": person.password}
    answer = httpx2.post(f"{world.gateway.url}/api/session", json=body, headers=given)
    assert answer.status_code == 201
    assert answer.cookies[COOKIE] != value
    assert with_cookie(world, value) == 401


def guessed(world: World, email: str) -> None:
    """Ten wrong passwords for a name, then a wait, whether the name exists or not; other names go on."""
    name = Person(world).email if email == "known" else f"{uuid.uuid4().hex}@example.com"
    answers = [login(world, email=name, password=f"wrong-{number}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0
    varied = [login(world, email=form(name), password="wrong") for form in (str.upper, lambda text: f" {text} ")]
    assert [answer.status_code for answer in varied] == [429, 429], "another way to write the name is another name"
    assert visitor(world).login()


def told_alike(world: World, what: str) -> None:
    """Whether a name exists is not told."""
    person = Person(world)
    wrong = login(world, email=person.email, password="wrong")
    if what == "unknown name":
        other = login(world, email=f"{uuid.uuid4().hex}@example.com", password="wrong")
    elif what == "no password":
        nameless = f"{uuid.uuid4().hex}@example.com"
        world.gateway.create("users", name="nobody", account_id=person.account, email=nameless)
        other = login(world, email=nameless, password="wrong")
    else:
        assert world.gateway.admin.patch(f"/api/accounts/{person.account}", json={"enabled": False}).status_code == 200
        other = login(world, email=person.email, password=person.password)
    alike = [{**answer.json(), "request_id": ""} for answer in (wrong, other)]
    assert alike[0] == alike[1]
    assert wrong.status_code == other.status_code == 401
    assert set(wrong.headers) == set(other.headers)


LOGINS: list[tuple[object, int]] = [
    ({}, 422),
    ({"email": "a@b"}, 422),
    ({"email": "a@b", "password": ""}, 422),
    ({"email": "a@b", "password": None}, 422),
    ({"email": {"$ne": ""}, "password": {"$ne": ""}}, 422),
    ({"email": ["a@b"], "password": ["x"]}, 422),
    ({"email": "a@b", "password": True}, 422),
    ({"email": "a@b", "password": "x" * 10_000}, 422),
    ({"email": "a" * 10_000, "password": "x"}, 422),
    ({"email": "' OR 1=1 --", "password": "' OR 1=1 --"}, 401),
    ({"email": "%", "password": "%"}, 401),
    ({"email": "a\u0000b", "password": "x"}, 400),
    ({"token": "x", "email": "a@b", "password": "x"}, 422),
    ({"token": ""}, 422),
    ({"token": "x"}, 401),
    ({"token": ["x"]}, 422),
    ({"email": "a@b", "password": "x", "role": "owner"}, 422),
    ({"email": "a@b", "password_hash": "x"}, 422),
    ("text", 422),
    ([], 422),
]


def odd_login(world: World, given: tuple[object, int]) -> None:
    body, expected = given
    answer = httpx2.post(f"{world.gateway.url}/api/session", json=body)
    assert answer.status_code == expected, answer.text
    assert COOKIE not in answer.cookies
    if answer.status_code != 400:
        assert answer.json()["code"], answer.text


FOREIGN: list[dict[str, str]] = [
    {},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://gw.evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "cross-site", "x-oneapi-csrf": "1"},
    {"referer": "%URL%/console"},
    {"origin": "%URL%.evil.example"},
    {"origin": "%URL%@evil.example"},
]


def from_elsewhere(world: World, headers: dict[str, str]) -> None:
    """A page of another site makes a browser send the cookie: nothing is changed by that."""
    person = visitor(world)
    given = {name: value.replace("%URL%", world.gateway.url) for name, value in headers.items()}
    keys = f"{world.gateway.url}/api/keys"
    cookie = {"cookie": f"{COOKIE}={person.cookie}"}
    answer = httpx2.post(keys, json={"name": "forged"}, headers={**cookie, **given})
    assert answer.status_code == 403, answer.text
    assert with_cookie(world, person.cookie, "DELETE", **given) == 403
    found = httpx2.get(f"{keys}?name=forged", headers=cookie)
    assert found.json()["data"] == []
    eventually(lambda: with_cookie(world, person.cookie) == 200)


ROWS: list[Row | Absent] = [
    Row(
        "A-18",
        "sessions that are over",
        ends,
        ["logout", "another role", "another password", "user deleted", "account disabled"],
    ),
    Row("A-19", "guessing passwords", guessed, ["known", "unknown"]),
    Row("A-20", "logins that are none", odd_login, LOGINS),
    Row("A-22", "changes from pages of other sites", from_elsewhere, FOREIGN),
    Row("A-26", "whether a name exists", told_alike, ["unknown name", "no password", "account disabled"]),
    Row("A-27", "cookies that no login gave", no_cookie, ["x", "a" * 43, "%00", "first_administrator", "0"]),
]
