"""Every public document. One that isn't here can't be served; one that is appears wherever documents are listed."""

from services.admin.public.display import models, tools
from services.admin.public.document import Document
from services.admin.public.documents import (
    access,
    agent_card,
    agent_catalogs,
    agent_skills,
    app_view,
    catalogs,
    guidance,
    llms,
    mcp_cards,
    openapi,
    overview,
    pricing,
    reference,
    robots,
)
from services.admin.public.pages.documents import pages

_WRITTEN = (
    *llms.DOCUMENTS,
    *overview.DOCUMENTS,
    *reference.DOCUMENTS,
    *access.DOCUMENTS,
    *pricing.DOCUMENTS,
    *openapi.DOCUMENTS,
    *guidance.DOCUMENTS,
    *models.DOCUMENTS,
    *tools.DOCUMENTS,
    *catalogs.DOCUMENTS,
    *agent_card.DOCUMENTS,
    *agent_skills.DOCUMENTS,
    *agent_catalogs.DOCUMENTS,
    *mcp_cards.DOCUMENTS,
    *app_view.DOCUMENTS,
    *robots.DOCUMENTS,
)
DOCUMENTS: tuple[Document, ...] = (*_WRITTEN, *pages(_WRITTEN))
