"""Mechanisms that make every reader read the same, taken out one by one."""

from tests.security.mutants.hole import DOOR, hole

HOLES = [
    hole(
        "lengths beside encodings",
        f"{DOOR}/protocol.py",
        "        transport.set_write_buffer_limits(",
        "        self.parser.set_dangerous_leniencies(lenient_chunked_length=True, lenient_headers=True)\n"
        "        transport.set_write_buffer_limits(",
        "P-01",
    ),
    hole(
        "any encoding that ends in chunked",
        f"{DOOR}/head.py",
        '        if encoding.lower() != b"chunked":\n            raise refusals.malformed_request()\n',
        "",
        "P-02",
    ),
    hole("chunks in HTTP/1.0", f"{DOOR}/protocol.py", 'elif version == "1.0" and any(', "elif False and any(", "P-02"),
    hole(
        "two hosts are one",
        f"{DOOR}/head.py",
        "            elif name in _SINGLE:\n                raise refusals.malformed_request()\n",
        "",
        "P-03",
        "P-17",
    ),
    hole("any host is one", f"{DOOR}/head.py", 'if not _HOST.fullmatch(found.get(b"host", b"")):', "if False:", "P-03"),
    hole(
        "lenient lines and headers",
        f"{DOOR}/protocol.py",
        "        transport.set_write_buffer_limits(",
        "        self.parser.set_dangerous_leniencies(lenient_headers=True, lenient_optional_cr_before_lf=True)\n"
        "        transport.set_write_buffer_limits(",
        "P-04",
    ),
    hole(
        "lenient chunks",
        f"{DOOR}/protocol.py",
        "        transport.set_write_buffer_limits(",
        "        self.parser.set_dangerous_leniencies(lenient_optional_crlf_after_chunk=True,"
        " lenient_spaces_after_chunk_size=True, lenient_optional_lf_after_cr=True)\n"
        "        transport.set_write_buffer_limits(",
        "P-05",
    ),
    hole(
        "an upgrade is followed",
        f"{DOOR}/protocol.py",
        "        if self.parser.should_upgrade():\n",
        "        if False:\n",
        "P-06",
    ),
    hole(
        "paths that can be read in two ways",
        f"{DOOR}/paths.py",
        " or _AMBIGUOUS.search(raw_path) is not None",
        "",
        "P-07",
    ),
    hole("a fragment is a part of the path", f"{DOOR}/protocol.py", ' or b"#" in self.url', "", "P-08"),
    hole("any number of headers", f"{DOOR}/protocol.py", "len(self.headers) > limits.header_count or ", "", "P-10"),
    hole(
        "headers of any size",
        f"{DOOR}/limits.py",
        "header_bytes: int = 32 * KIB",
        "header_bytes: int = 32 * MIB",
        "P-10",
    ),
    hole("addresses of any size", f"{DOOR}/limits.py", "url_bytes: int = 8 * KIB", "url_bytes: int = 8 * MIB", "P-10"),
    hole(
        "the same name twice in a change",
        "services/admin/web/json_body.py",
        "    if len(found) != len(pairs):\n",
        "    if False:\n",
        "P-15",
    ),
    hole(
        "flags of any type",
        "oneapi/dialects/request.py",
        "    if not isinstance(value, bool):\n",
        "    if False:\n",
        "P-12",
    ),
    hole(
        "the client says its address",
        "services/edge/entrance.py",
        'client_address(peer, head.forwarded_for.decode("latin-1"), self._trusted)',
        'head.forwarded_for.decode("latin-1").partition(",")[0] or peer',
        "P-14",
    ),
    hole(
        "the client's address is passed on as it says",
        "services/edge/forward/proxy.py",
        '        b"x-forwarded-for",\n',
        "",
        "P-14",
    ),
    hole(
        "any content type is JSON",
        "services/edge/inference/handler.py",
        'if head.content_type.partition(b";")[0].strip().lower() != JSON_TYPE:',
        "if False:",
        "P-17",
    ),
]
