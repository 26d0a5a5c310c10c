"""The view that hosts of MCP Apps show beside answers of the public MCP server; also served by HTTP, to be reviewed.

One self-contained page: its style and script are in it, and its policy names them by their digests and allows nothing
else. The page itself asks nobody but its host. Names reach it as text, never as markup. Pure.
"""

import base64
import hashlib
import html

from services.admin.public.document import LIVE_S, Document, Headers, Representation
from services.admin.public.documents.app_view_script import SCRIPT, STYLE
from services.admin.public.mcp_server.server import VIEW_PATH, VIEW_TYPE
from services.admin.public.site import Public

MEDIA_TYPE = f"{VIEW_TYPE};charset=utf-8"


def app_view(public: Public) -> str:
    """The page. Without a host it says what it is, and that it needs one."""
    name, base = html.escape(public.site.name), html.escape(public.site.base_url)
    counts = f"{len(public.view.models)} models, {len(public.view.tools)} tools"
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}: ask the gateway</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p>{counts} at <code>{base}</code>, catalog <code>{html.escape(public.view.revision)}</code>.</p>
<form id="ask">
<label for="query">Ask about models, tools, prices and endpoints</label>
<div class="row">
<input id="query" name="query" type="text" maxlength="500" autocomplete="off" disabled>
<button id="send" type="submit" disabled>Ask</button>
<button id="models" type="button" disabled>List models</button>
</div>
</form>
<p id="status" role="status">This view works inside a host of MCP Apps.</p>
<p id="answer"></p>
<ul id="results"></ul>
</main>
<script>{SCRIPT}</script>
</body>
</html>
"""


def policy(_body: bytes) -> Headers:
    """What the page may do: run its own script, show its own style."""
    value = (
        f"default-src 'none'; style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return (("content-security-policy", value),)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


DOCUMENTS = (
    Document(
        path=VIEW_PATH,
        title="MCP Apps public discovery view",
        note="the view that hosts of MCP Apps show for the public MCP server",
        representations=(Representation(media_type=MEDIA_TYPE, render=app_view, headers=policy),),
        max_age_s=LIVE_S,
        group="Agents",
    ),
)
