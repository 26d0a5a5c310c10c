"""What one request may cost, and who pays for it.

It decides nothing: it is what the door of the edge hands to the money path.
"""

import msgspec

from oneapi.catalog.types import Account, RelayKey


class Claim(msgspec.Struct):
    """One request that wants to be admitted. `request_id` is new, and no client chose it.

    `reserve_nano` bounds its cost in nano-USD, at `rates_ceiling` (pico-USD by bucket; None when the model has no
    price). `estimated_tokens` is what a token rate counts beforehand. `traceparent` is "" when there is no trace.
    `lease_s` is the longest that the request can take, with a margin: after it the reservation counts as orphaned.
    `prompt_bytes` is what the input is counted from if this process dies and the provider didn't say.
    """

    request_id: str
    key: RelayKey
    account: Account
    user_id: str
    model: str
    endpoint: str
    reserve_nano: int
    rates_ceiling: dict[str, int] | None
    estimated_tokens: int
    client_request_id: str
    traceparent: str
    streamed: bool
    lease_s: float
    prompt_bytes: int = 0
