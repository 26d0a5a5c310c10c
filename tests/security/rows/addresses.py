"""URLs that no upstream may have, by what is wrong with them."""

METADATA = ["169.254.169.254", "100.100.100.200", "168.63.129.16", "[fd00:ec2::254]", "metadata.google.internal"]
NEVER = [
    *("0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.0.8", "192.0.2.1"),
    *("192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "169.254.1.1"),
    *("[::]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:7f00:1]"),
    *("[64:ff9b::a9fe:a9fe]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:a9fe:a9fe::]", "[2002:7f00:1::]"),
    *("[2001:0:7f00:1::1]", "[2001:db8::1]", "[100::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[5f00::1]"),
]
PRIVATE = [
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1"),
    *("100.64.0.1", "[::1]", "[fc00::1]", "[fd12:3456::1]"),
]
ODD = ["127.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.", "017700000001", "0", "127.0.1"]

FORBIDDEN = [f"https://{host}/v1" for host in (*NEVER, *PRIVATE, *ODD)]
NAMES = [
    *(f"https://{host}/v1" for host in METADATA),
    *(f"https://{host}/v1" for host in ("localhost", "LOCALHOST", "a.localhost", "nats", "redis", "db.internal")),
    *(f"https://{host}/v1" for host in ("printer.local", "wiki.corp", "router.lan", "x.home.arpa", "x.onion")),
    "https://kubernetes.default.svc.cluster.local/v1",
]
SCHEMES = [
    "http://93.184.215.14/v1",
    "http://example.com/v1",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "ws://example.com/",
    "unix:///run/x.sock",
    "data:text/plain,x",
    "javascript:alert(1)",
    "HTTPS+unix://example.com/",
    "https:example.com",
    "example.com/v1",
    "//example.com/v1",
    "https://user@example.com/v1",
    "https://user:password@example.com/v1",
    "https://@example.com/v1",
    "https://example.com:22/v1",
    "https://example.com:8443/v1",
    "https://example.com:0/v1",
    "https://example.com:65536/v1",
    "https://example.com:-1/v1",
    "https://example.com/v1?x=y",
    "https://example.com/v1#x",
]
SHAPES = [
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1\\.example.com/",
    "https://example.com%2f@127.0.0.1/",
    "https://127.0.0.1%2eexample.com/",
    "https://example.com#@127.0.0.1/",
    "https://example.com?@127.0.0.1/",
    "https://127。0。0。1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://exa\u200bmple.com/",
    "https://еxample.com/",
    "https://example.com\t.evil/",
    "https://example.com\r\nhost: x/",
    "https://example.com /",
    "https://exam ple.com/",
    "https://-example.com/",
    "https://example..com/",
    "https://.example.com/",
    "https://[::1/",
    "https://[127.0.0.1]/",
    "https://[::1%25eth0]/",
    "https://[v1.fe80::a]/",
    "https:///v1",
    "https://",
    "https://a,b.com/",
    "https://a'b.com/",
    'https://a"b.com/',
    "https://a|b.com/",
    "https://a{b}.com/",
    "https://example.com:44 3/",
    "https://example.com:443:80/",
    f"https://{'a' * 64}.com/",
    f"https://{'a.' * 130}com/",
    f"https://example.com/{'a' * 2_100}",
]
EVEN_WHEN_PRIVATE = [
    *(f"{scheme}://{host}/v1" for scheme in ("http", "https") for host in (*METADATA, *NEVER)),
    *(f"http://{host}/v1" for host in ODD if host != "127.0.0.1."),
    *(
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1/?x",
        "http://127.0.0.1/#x",
    ),
]
