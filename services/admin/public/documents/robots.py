"""What crawlers may read: RFC 9309, with the Content-Signal line of contentsignals.org."""

from services.admin.public.document import SLOW_S, TEXT, document
from services.admin.public.site import Public


def robots(public: Public) -> str:
    """The public documents, and nothing that takes a key."""
    return f"""\
User-agent: *
Content-Signal: search=yes, ai-input=yes, ai-train=no
Disallow: /v1/
Disallow: /v1beta/
Disallow: /mcp$
Disallow: /api/
Allow: /api/llms.txt
Allow: /api/models/display
Allow: /api/tools/display
Allow: /

Sitemap: {public.site.url("/sitemap.xml")}
"""


DOCUMENTS = (document("/robots.txt", TEXT, robots, "Robots", "what crawlers may read", SLOW_S),)
