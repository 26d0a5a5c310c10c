"""The pages as documents: they are served like any other."""

from collections.abc import Sequence

from services.admin.public.document import Document
from services.admin.public.pages.docs import docs
from services.admin.public.pages.home import home
from services.admin.public.pages.playground import playground
from services.admin.public.pages.reader import readers
from services.admin.public.pages.search import search_index


def pages(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The pages that show these documents."""
    return (
        home(documents),
        docs(documents),
        playground(),
        search_index(documents),
        *readers(documents),
    )
