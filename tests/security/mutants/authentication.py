"""Mechanisms that decide who gets in, taken out one by one."""

from tests.security.mutants.hole import DOOR, Change, Hole, hole

HOLES = [
    hole(
        "two credentials are as good as one",
        f"{DOOR}/head.py",
        "            ambiguous = True\n",
        "            pass\n",
        "A-07",
    ),
    hole(
        "of two different credentials one is taken",
        f"{DOOR}/head.py",
        '    if len(given) != 1:\n        return ""\n    (value,) = given\n',
        '    if not given:\n        return ""\n    value = max(given)\n',
        "A-08",
    ),
    hole(
        "two keys in a query are as good as one",
        f"{DOOR}/head.py",
        "        ambiguous = len(beside) > 1\n",
        "        ambiguous = False\n",
        "A-28",
    ),
    hole(
        "a key in a query wins over every header",
        f"{DOOR}/head.py",
        "    given = set(beside)\n",
        "    if beside:\n        return _ascii(beside[0])\n    given = set(beside)\n",
        "A-28",
    ),
    hole(
        "any scheme will do",
        f"{DOOR}/head.py",
        'value = rest if scheme.lower() == b"bearer" else b""',
        "value = rest",
        "A-02",
    ),
    # The checksum counts while the list of all keys has gaps; when it is whole, it alone says what can't be a key.
    Hole(
        "with gaps in the list of keys, a checksum is not looked at",
        (
            Change(
                "oneapi/runtime/relay_keys.py",
                "    return _checksum(text[:-CHECKSUM_CHARACTERS]) == text[-CHECKSUM_CHARACTERS:]\n",
                "    return True\n",
            ),
            Change(
                "oneapi/catalog/keyring.py",
                "        complete, now, era = self._census.complete, self._clock(), self._era\n",
                "        complete, now, era = False, self._clock(), self._era\n",
            ),
        ),
        ("A-03",),
    ),
    hole(
        "a disabled key is a key",
        "oneapi/catalog/keyring.py",
        '    if not key.enabled:\n        return "disabled"\n',
        "",
        "A-11",
    ),
    hole(
        "an expired key is a key",
        "oneapi/catalog/keyring.py",
        '    if expired:\n        return "expired"\n',
        "",
        "A-05",
        "A-11",
    ),
    hole(
        "a key is good from everywhere",
        "oneapi/catalog/keyring.py",
        'return "wrong_address" if elsewhere else None',
        "return None",
        "A-05",
        "A-11",
        "P-14",
    ),
    hole(
        "a disabled account's keys are keys",
        "services/edge/authentication.py",
        "if problem is None and (account is None or not account.enabled):",
        "if problem is None and account is None:",
        "A-11",
    ),
    hole(
        "bad keys are never too many",
        "services/edge/authentication.py",
        "raise of_door.too_many_failures(wait_s) if wait_s > 0 else refusals.unauthenticated()",
        "raise refusals.unauthenticated()",
        "A-13",
    ),
    hole(
        "everybody pays for one who guesses", "services/edge/authentication.py", "source_of(address)", '"all"', "A-13"
    ),
    hole(
        "what is wrong with a key is told",
        "services/edge/authentication.py",
        "raise of_door.too_many_failures(wait_s) if wait_s > 0 else refusals.unauthenticated()",
        'raise type(refusals.unauthenticated())(401, "authentication", problem, "The key is bad.")',
        "A-05",
        "A-11",
    ),
    hole(
        "no way to authenticate is named",
        "services/edge/answers.py",
        "        headers.append(CHALLENGE)\n",
        "        pass\n",
        "A-16",
    ),
    hole(
        "a management token by any scheme",
        "services/admin/identity/authentication.py",
        '            if scheme.lower() != "bearer":\n                raise Unauthenticated\n',
        "",
        "A-09",
    ),
    # Two locks: the entrance refuses them, and the authenticator does not rely on that.
    Hole(
        "the first of two management tokens",
        (
            Change("services/admin/web/entrance.py", "        if head.ambiguous:\n", "        if False:\n"),
            Change(
                "services/admin/identity/authentication.py",
                "            if len(authorizations) > 1:\n                raise Unauthenticated\n",
                "",
            ),
        ),
        ("A-07",),
    ),
    hole(
        "sessions outlive a password",
        "services/admin/resources/users/routes.py",
        "        await sessions.end_of_user(change.session, row.id)\n",
        "        pass\n",
        "A-18",
    ),
    hole(
        "passwords may be guessed",
        "services/admin/identity/throttle.py",
        "FAILURES = 10\n",
        "FAILURES = 10_000\n",
        "A-19",
    ),
    hole(
        "other sites' pages may change things",
        "services/admin/identity/authentication.py",
        '        if "cross-site" in presented.values("sec-fetch-site"):\n            return False\n',
        "        return True\n",
        "A-22",
    ),
    hole(
        "an unknown name is told faster and in other words",
        "services/admin/resources/session/routes.py",
        "    if not matches or principal is None:\n",
        '    if user is None:\n        raise Problem(404, "not_found", "There is nobody of this name.")\n'
        "    if not matches or principal is None:\n",
        "A-26",
    ),
]
