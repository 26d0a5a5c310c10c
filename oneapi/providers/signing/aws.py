"""Signs requests of a service of AWS's with an access key, which is a channel's credential.

It decides how that credential is spelled: `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, with `:SESSION_TOKEN` behind it for a
session's. What has no colon is none, and what has one and is none is refused. It must not know any service.
"""

import re
from collections.abc import Mapping

from oneapi.providers.signing.sigv4 import Credential, Scope, authorization, timestamp
from oneapi.providers.spec import Headers, Outgoing, Signer, Signers

REGION = "region"
_ACCESS_KEY = re.compile(
    r"(?P<id>[A-Z0-9]{16,128}):(?P<secret>[A-Za-z0-9/+=]{16,128})(?::(?P<token>[A-Za-z0-9/+=._-]+))?"
)


def access_key(api_key: str) -> Credential | None:
    """The access key that a credential spells; None for one without a colon. ValueError for what is neither."""
    if ":" not in api_key:
        return None
    found = _ACCESS_KEY.fullmatch(api_key)
    if found is None:
        raise ValueError("the credential is neither an API key nor an access key and its secret")
    return Credential(found["id"], found["secret"], found["token"] or "")


def signers(service: str, host: re.Pattern[str]) -> Signers:
    """What signs requests of this service. `host` finds its region in a base URL; a channel's `config` may say it."""

    def signer(api_key: str, base_url: str, config: Mapping[str, str]) -> Signer | None:
        credential = access_key(api_key)
        if credential is None:
            return None
        found = host.search(base_url)
        region = config.get(REGION) or (found[REGION] if found is not None else "")
        if not region:
            raise ValueError("the region is in neither the base URL nor config.region")
        scope = Scope(region, service)
        return lambda outgoing, now_s: _signed(credential, scope, outgoing, now_s)

    return signer


def _signed(credential: Credential, scope: Scope, outgoing: Outgoing, now_s: float) -> Headers:
    at = timestamp(now_s)
    ours = [("X-Amz-Date", at), *([("X-Amz-Security-Token", credential.token)] if credential.token else [])]
    theirs = [("Host", outgoing.host), *([("Content-Type", outgoing.content_type)] if outgoing.content_type else [])]
    value = authorization(
        credential,
        scope,
        at,
        method=outgoing.method,
        target=outgoing.target,
        headers=[*theirs, *ours],
        body=outgoing.body,
    )
    return [*ours, ("Authorization", value)]
