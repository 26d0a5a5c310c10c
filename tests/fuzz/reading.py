"""A slow and strict reading of HTTP/1.1, as RFC 9112 has it, to judge how many requests some bytes may hold at most.

Independent of the edge's parser. Where bytes stop being a valid request, the rest may get one refusal and no more.
"""

import re

_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!-~\x80-\xff]+ HTTP/1\.([01])")
_FIELD = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*"
)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})((?:[ \t]*;[\t -~\x80-\xff]*)?)\r\n")
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n")


def requests(data: bytes) -> tuple[int, int, set[int]]:
    """How many whole and valid requests there are, how many answers there may be, and which of those are to HEAD."""
    place, valid = 0, 0
    heads: set[int] = set()
    while True:
        while data.startswith(b"\r\n", place):
            place += 2
        if place >= len(data):
            return valid, valid, heads
        if data.startswith(b"HEAD ", place):
            heads.add(valid)
        end = data.find(b"\r\n\r\n", place)
        headers = _headers(data[place:end]) if end >= 0 else None
        body_end = _body_end(data, end + 4, headers) if headers is not None else None
        if headers is None or body_end is None:
            return valid, valid + 1, heads
        valid += 1
        if headers["close"]:
            return valid, valid, heads
        place = body_end


def _headers(head: bytes) -> dict[str, bytes] | None:
    """What frames a request; None for a head that isn't valid."""
    line, *fields = head.split(b"\r\n")
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    named: dict[bytes, list[bytes]] = {}
    for field in fields:
        parts = _FIELD.fullmatch(field)
        if parts is None:
            return None
        named.setdefault(parts[1].lower(), []).append(parts[2])
    lengths, encodings = named.get(b"content-length", []), named.get(b"transfer-encoding", [])
    if len(lengths) > 1 or len(encodings) > 1 or (lengths and encodings):
        return None
    if len(named.get(b"host", [])) != 1:
        return None
    if lengths and not re.fullmatch(rb"[0-9]{1,19}", lengths[0]):
        return None
    old = found[1] == b"0"
    if encodings and (encodings[0].lower() != b"chunked" or old):
        return None
    options = {option.strip().lower() for value in named.get(b"connection", []) for option in value.split(b",")}
    closes = b"close" in options or (old and b"keep-alive" not in options)
    return {
        "length": lengths[0] if lengths else b"0",
        "chunked": b"1" if encodings else b"",
        "close": b"1" if closes else b"",
    }


def _body_end(data: bytes, place: int, headers: dict[str, bytes]) -> int | None:
    if not headers["chunked"]:
        end = place + int(headers["length"])
        return end if end <= len(data) else None
    while True:
        found = _CHUNK.match(data, place)
        if found is None:
            return None
        size, place = int(found[1], 16), found.end()
        if size == 0:
            break
        place += size + 2
        if place > len(data) or data[place - 2 : place] != b"\r\n":
            return None
    while not data.startswith(b"\r\n", place):
        end = data.find(b"\r\n", place)
        if end < 0 or _FIELD.fullmatch(data[place:end]) is None:
            return None
        place = end + 2
    return place + 2


def answers(data: bytes, heads: set[int]) -> list[int] | None:
    """Statuses of the final answers in what a server sent; None when it isn't a sequence of whole answers.

    Those to HEAD have no body, except that a broken request may be refused with one, whatever its method would be.
    """
    place, found = 0, []
    while place < len(data):
        line = _STATUS.match(data, place)
        end = data.find(b"\r\n\r\n", place)
        if line is None or end < 0:
            return None
        status, head = int(line[1]), data[line.end() : end + 2].lower()
        place = end + 4
        if status < 200:
            continue
        found.append(status)
        if len(found) - 1 in heads and (place == len(data) or data.startswith(b"HTTP/1.1 ", place)):
            continue
        length = re.search(rb"(?m)^content-length: (\d+)\r$", head)
        if re.search(rb"(?m)^transfer-encoding: chunked\r$", head):
            after = _body_end(data, place, {"chunked": b"1"})
            if after is None:
                return None
            place = after
        elif length is not None:
            place += int(length[1])
            if place > len(data):
                return None
        elif status not in {204, 304}:
            return found
    return found
