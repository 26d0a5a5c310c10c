"""Every public document. One that isn't here can't be served; one that is appears wherever documents are listed."""

from services.admin.public.display import models, tools
from services.admin.public.document import Document
from services.admin.public.documents import pricing, robots
from services.admin.public.pages.documents import pages

_WRITTEN = (
    *robots.DOCUMENTS,
    *pricing.DOCUMENTS,
    *models.DOCUMENTS,
    *tools.DOCUMENTS,
)
DOCUMENTS: tuple[Document, ...] = (*_WRITTEN, *pages(_WRITTEN))
