"""Every endpoint that anyone may call and is no document."""

from collections.abc import Sequence

from services.admin.public.a2a import Agent
from services.admin.public.ask.answer import Asking
from services.admin.public.ask.pages import pages_of
from services.admin.public.document import Document
from services.admin.public.mcp_server.server import PublicMcpServer
from services.admin.web.endpoints import a2a, ask, public_mcp
from services.admin.web.endpoints.layer import Endpoint


def public_endpoints(documents: Sequence[Document]) -> tuple[Endpoint, ...]:
    """The endpoints; all of them answer from one index."""
    asking = Asking(pages_of(documents))
    mcp_server = PublicMcpServer(documents, asking)
    return (ask.endpoint(asking), public_mcp.endpoint(mcp_server), a2a.endpoint(Agent(asking)))
