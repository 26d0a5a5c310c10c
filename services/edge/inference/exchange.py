"""One request while it is served: what is known of it, and what has been seen of its answer.

It decides nothing; the steps of a request read and fill it.
"""

from oneapi.catalog.types import Account, RelayKey
from oneapi.dialects.conversion import ClientRequest
from oneapi.dialects.meter import StreamMeter
from oneapi.dialects.openai_responses.compaction import Compaction
from oneapi.dialects.registry import Dialect
from oneapi.dialects.request import RequestFacts
from oneapi.runtime.asgi import Send
from oneapi.runtime.door.protocol import Client
from services.edge.arrival import Arrival
from services.edge.authentication import Caller
from services.edge.inference.addressed import Addressed
from services.edge.inference.carried import Carried
from services.edge.inference.endpoints import Endpoint
from services.edge.inference.interruption import Interruption
from services.edge.inference.offers import Offer
from services.edge.inference.settling import Settler
from services.edge.inference.timing import Timing
from services.edge.inference.tracing import RequestTrace
from services.edge.state.keeping import Keeping

NOT_STORED = "store"
"""The loss of what should have been stored."""


class Exchange:
    """The request, and step by step its caller, its content, its offer and its hold.

    `channel_id` is the channel that is being called, or was last, and `carried` what it got; `meter` watches its
    stream, if there is one. `asked` is the request as conversions read it, as soon as one needed it or was going to.
    `keeping` is what is stored of it, if anything, and `compaction` what makes its answer one, if that is asked for.
    """

    __slots__ = (
        "addressed",
        "arrival",
        "asked",
        "body",
        "caller",
        "carried",
        "channel_id",
        "client",
        "compaction",
        "dialect",
        "endpoint",
        "facts",
        "interruption",
        "keeping",
        "meter",
        "offer",
        "send",
        "settler",
        "strict",
        "timing",
        "trace",
    )

    caller: Caller
    body: bytes
    facts: RequestFacts
    offer: Offer
    settler: Settler

    def __init__(
        self,
        arrival: Arrival,
        endpoint: Endpoint,
        dialect: Dialect,
        client: Client,
        send: Send,
        trace: RequestTrace,
        addressed: Addressed | None = None,
    ) -> None:
        self.addressed = addressed
        self.arrival = arrival
        self.endpoint = endpoint
        self.dialect = dialect
        self.client = client
        self.send = send
        self.trace = trace
        self.timing = Timing(arrival.started_s)
        self.interruption = Interruption()
        self.channel_id = ""
        self.meter: StreamMeter | None = None
        self.strict = False
        """Whether the client would rather be refused than lose something."""
        self.asked: ClientRequest | None = None
        self.carried: Carried | None = None
        self.keeping: Keeping | None = None
        self.compaction: Compaction | None = None

    @property
    def key(self) -> RelayKey:
        return self.caller.key

    @property
    def account(self) -> Account:
        return self.caller.account

    @property
    def losses(self) -> list[str]:
        """What of the request or its answer got lost at the channel."""
        losses = self.carried.losses if self.carried is not None else []
        return [*losses, NOT_STORED] if self.keeping is not None and self.keeping.lost else losses

    @property
    def hard(self) -> bool:
        """Whether a limit holds that must not be passed: then the answer must be bounded as well."""
        return not self.account.unlimited or bool(self.key.budgets)
