"""The list of models with conditions, or for one account.

Decides whose models are shown: anyone sees every public one; who shows a management token or a session sees those of
its own account's group. What anyone gets who asks for all is a public document, and isn't served here.
"""

from typing import Annotated

from fastapi import Query as QueryParameters
from starlette.requests import Request
from starlette.responses import Response

from services.admin.identity.authentication import COOKIE, Unauthenticated
from services.admin.identity.principals import Access
from services.admin.public.display.models import PATH, models_display
from services.admin.public.document import JSON, LIVE_S, Representation
from services.admin.resources.display.schemas import ModelsQuery
from services.admin.store.schema import Account
from services.admin.web import problems
from services.admin.web.call import Call
from services.admin.web.entrance import source_of_request
from services.admin.web.public_documents import CORS, FOR_ONE, answer_with, cache_control, render
from services.admin.web.routes import CallDep, asks, presented_by, resource_router

router = resource_router("/api/models", "display")
PRIVATE = b"private, no-cache"


@router.head(PATH.removeprefix(router.prefix), include_in_schema=False)
@router.get(PATH.removeprefix(router.prefix), responses={200: {"content": {JSON: {"schema": {"type": "object"}}}}})
@asks(Access.PUBLIC)
async def models(call: CallDep, request: Request, query: Annotated[ModelsQuery, QueryParameters()]) -> Response:
    """Every public model with its price, by channel. With a management token or a session, those of its account."""
    wait_s = call.parts.bounds.wait_s(source_of_request(request))
    if wait_s > 0:
        raise problems.too_many(wait_s)
    group = await _group(call, request)
    public = await call.parts.public.current()
    shown = Representation(media_type=JSON, render=lambda public: models_display(public, group, query.filters()))
    with call.parts.bounds.work():
        rendered = render(public, shown, FOR_ONE)
    status, headers, body = answer_with(
        rendered,
        request.headers.get("if-none-match", "").encode("latin-1") or None,
        cache_control(LIVE_S, public) if group is None else PRIVATE,
    )
    answer = Response(body, status)
    # What is for one caller is for the console's own pages, and for no page of others.
    answer.raw_headers = headers if group is None else [pair for pair in headers if pair not in CORS]
    return answer


async def _group(call: Call, request: Request) -> str | None:
    """The group of the caller's account; None for anyone. Raises Unauthenticated for a bad token."""
    presented = presented_by(request)
    if not presented.values("authorization") and COOKIE not in request.cookies:
        return None
    try:
        principal = await call.parts.authenticator.principal(presented)
    except Unauthenticated:
        if presented.values("authorization"):
            raise
        return None  # A session that has ended is nobody's fault, and this page is everybody's.
    account = await (await call.read()).get(Account, principal.account_id)
    return None if account is None else account.group
