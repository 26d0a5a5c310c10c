"""The route that asks the router for its reasons. It must not know how channels are chosen."""

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID
from oneapi.dialects.conversion import upstream_dialects
from proto.router.v1 import router_pb2
from services.admin.identity.accounts import visible_account
from services.admin.identity.principals import Access
from services.admin.resources.explain.schemas import ConsideredShown, ExplainAsked, ExplanationShown
from services.admin.resources.keys import queries as keys
from services.admin.web import problems
from services.admin.web.call import Call
from services.admin.web.routes import CallDep, asks, resource_router

_DIALECTS = {
    endpoint: upstream_dialects(dialect)
    for endpoint, dialect in (
        ("chat", "openai_chat"),
        ("responses", "openai_responses"),
        ("messages", "anthropic_messages"),
        ("generate_content", "gemini_generate"),
    )
}
"""What an edge asks with for a conversation."""

router = resource_router("/api/explain", "explain")


@router.post("")
@asks(Access.OPERATE)
async def explain(call: CallDep, body: ExplainAsked) -> ExplanationShown:
    """Every channel that the router would consider for a request, chosen or not, with the reason."""
    group, channels = await _as_whom(call, body)
    reply = await call.parts.reports.explain(
        router_pb2.PickRequest(
            model=body.model,
            endpoint=body.endpoint,
            dialects=body.dialects or _DIALECTS.get(body.endpoint, ()),
            group=group,
            allowed_channels=channels,
            affinity=body.affinity,
        )
    )
    return ExplanationShown(
        considered=[
            ConsideredShown(
                channel_id=one.channel_id,
                channel_name=one.channel_name,
                upstream_model=one.upstream_model,
                dialect=one.dialect or None,
                chosen=one.chosen,
                place=one.place or None,
                reason=one.reason,
            )
            for one in reply.considered
        ],
        refusal=reply.refusal or None,
        catalog_revision=reply.catalog_revision,
    )


async def _as_whom(call: Call, body: ExplainAsked) -> tuple[str, list[str]]:
    """The group and the channels of the key or account asked about. Raises Problem."""
    session = await call.read()
    account_id, channels = body.account_id or OPERATOR_ACCOUNT_ID, list(body.channels)
    if body.key_id is not None:
        key = await keys.get(session, call.principal, body.key_id)
        if key is None:
            raise problems.invalid("key_id", "there is no such key", "unknown_key")
        account_id = key.account_id
        channels = channels or list(key.channels or [])
    account = await visible_account(session, call.principal, account_id)
    if account is None:
        raise problems.invalid("account_id", "there is no such account", "unknown_account")
    return body.group or account.group, channels
