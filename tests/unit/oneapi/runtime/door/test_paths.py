import pytest

from oneapi.runtime.door.paths import is_ambiguous


@pytest.mark.parametrize(
    "path",
    [
        b"", b"*", b"x", b"//a", b"/a//b", b"/a/../b", b"/a/..", b"/.", b"/a/..%2fb", b"/%2e%2e/a", b"/a%00", b"/a;x",
        b"/a\\b", b"/%252e", b"/%c0%ae", b"/%zz", b"/%61pi", b"/a b", b"/a\xff", b"/a%2F%2Fb",
    ],
)  # fmt: skip
def test_could_be_read_in_two_ways(path: bytes) -> None:
    assert is_ambiguous(path)


@pytest.mark.parametrize("path", [b"/", b"/a", b"/a/", b"/a.b", b"/..a", b"/a%2Fb", b"/a%3Afree%40x", b"/v1/a:b"])
def test_means_one_thing(path: bytes) -> None:
    assert not is_ambiguous(path)
