import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.inference.links import check_links


def asked(url: str) -> dict[str, object]:
    return {"messages": [{"content": [{"type": "image_url", "image_url": {"url": url}}]}]}


def test_public_links_and_data_pass() -> None:
    for url in ("https://images.example/a.png", "data:image/png;base64,QUJD"):
        check_links(asked(url), allow_private=False)
    check_links(asked("http://127.0.0.1:9000/a.png"), allow_private=True)
    check_links({}, allow_private=False)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://127.0.0.1/", "http://localhost/"])
def test_links_that_lead_inside(url: str) -> None:
    with pytest.raises(GatewayError) as refused:
        check_links(asked(url), allow_private=False)
    error = refused.value
    assert (error.status, error.code, error.param) == (400, "invalid_image_url", "image_url")
    assert url not in error.message
