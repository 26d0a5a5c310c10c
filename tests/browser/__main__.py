"""`make test-browser`: every public page in Chromium, over a whole gateway that has hostile names and many models.

Pictures of the main pages are left in build/screenshots. Each page is held against an HTML validator and the axe rules
of accessibility, on a phone's and a desk's width, in light and dark; none may log an error or ask another host. The
search and the playground are used by keyboard alone, and the pages without scripts.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from services.admin.public.registry import DOCUMENTS
from tests.browser.installation import browser
from tests.clients.installation import HOME, ROOT, packages, program
from tests.e2e.gateway import Gateway

HERE = Path(__file__).parent
PICTURES = ROOT / "build/screenshots"
LIMIT_S = 1_500
PICTURED = {
    "/": "home",
    "/docs": "docs",
    "/docs/playground": "playground",
    "/docs/read/pricing.md": "document",
    "/mcp-apps/public-discovery.html": "public-discovery",
}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "](https://evil.example) | `x` *b*",
    "x" * 120,
)
SEARCHED = "models"


def main() -> None:
    """Exit code 1 when something was found."""
    node = packages(HERE / "node", HOME / "browser")
    chromium = browser()
    with tempfile.TemporaryDirectory(prefix="oneapi-browser-") as temporary:
        gateway = Gateway(Path(temporary) / "data")
        try:
            gateway.start()
            _fill(gateway)
            task = Path(temporary) / "task.json"
            task.write_text(json.dumps(_task(gateway.url, chromium)))
            command = [str(program(node, "node")), str(node / "check.mjs"), str(task)]
            done = subprocess.run(command, timeout=LIMIT_S, check=False)
        finally:
            gateway.stop()
    print(f"pictures: {PICTURES.relative_to(ROOT)}")
    sys.exit(done.returncode)


def _task(url: str, chromium: str) -> dict[str, Any]:
    pages = [
        {"path": each.path, "picture": PICTURED.get(each.path)}
        for each in DOCUMENTS
        if each.media_type.startswith("text/html")
    ]
    return {"base": url, "pictures": str(PICTURES), "browser": chromium, "searched": SEARCHED, "pages": pages}


def _fill(gateway: Gateway) -> None:
    many = [f"vendor-{number % 7}/model-{number:03}-2026-01-01" for number in range(200)]
    gateway.create(
        "channels",
        name="main <b>channel</b>",
        provider="openai-compatible",
        base_url="https://upstream.example/v1",
        api_key="upstream-credential",
        models=[*many, *HOSTILE],
    )
    priced = {
        many[0]: {"input": "1.25", "cached_input": "0.125", "output": "10"},
        many[1]: {"input": "0.15", "output": "0.6", "reasoning": "0.7", "image": "0.04"},
        many[2]: {"input": "3", "output": "15", "tiers": [{"above_input_tokens": 200_000, "input": "6"}]},
    }
    for model, prices in priced.items():
        answer = gateway.admin.put(f"/api/prices/{model.replace('/', '%2F')}", json=prices)
        assert answer.status_code in {200, 201}, answer.text


if __name__ == "__main__":
    main()
