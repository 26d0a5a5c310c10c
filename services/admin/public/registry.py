"""Every public document. One that isn't here can't be served; one that is appears wherever documents are listed."""

from services.admin.public.display import models, tools
from services.admin.public.document import Document
from services.admin.public.documents import (
    access,
    catalogs,
    guidance,
    llms,
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
    *robots.DOCUMENTS,
)
DOCUMENTS: tuple[Document, ...] = (*_WRITTEN, *pages(_WRITTEN))
