from services.admin.store.replays import fingerprint


def test_a_fingerprint_is_of_the_whole_request() -> None:
    requests = [
        ("POST", "/a", b"x"),
        ("PUT", "/a", b"x"),
        ("POST", "/b", b"x"),
        ("POST", "/a", b"y"),
        ("POST", "/ax", b""),
        ("POST", "/", b"ax"),
    ]
    assert len({fingerprint(*request) for request in requests}) == len(requests)
    assert fingerprint(*requests[0]) == fingerprint(*requests[0])
