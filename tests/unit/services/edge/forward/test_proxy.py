from services.edge.forward.proxy import crossing


def test_hop_by_hop_headers_stay_behind() -> None:
    headers = [
        (b"Connection", b"close, X-Named"),
        (b"X-Named", b"1"),
        (b"TE", b"trailers"),
        (b"Upgrade", b"h2c"),
        (b"Transfer-Encoding", b"chunked"),
        (b"X-Ours", b"1"),
        (b"Set-Cookie", b"a"),
        (b"Set-Cookie", b"b"),
    ]
    assert crossing(headers, frozenset({b"x-ours"})) == [(b"set-cookie", b"a"), (b"set-cookie", b"b")]
