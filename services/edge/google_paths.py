"""Google's paths, whose address says what other formats' bodies and headers say: the model, how to answer, the key.

The rule for a call is one, over the raw path: `/v1beta/models/` or `/v1/models/`, the model, a colon, one of three
verbs. The last colon counts. The model is percent-decoded once; a path that could be read in two ways is none. It must
not know which models there are, nor whether a key is valid.
"""

from urllib.parse import unquote_to_bytes

from oneapi.runtime.door.paths import is_ambiguous
from services.edge import refusals
from services.edge.inference.addressed import Addressed
from services.edge.inference.endpoints import ADDRESSED_ENDPOINTS, STREAM, Endpoint
from services.edge.paths import GOOGLES_CALL, is_googles

_KEY, _FRAMING = b"key", b"alt"
_SSE, _JSON = b"sse", b"json"


def read_call(raw_path: bytes, query: bytes) -> tuple[Endpoint, Addressed] | None:
    """The call that an address asks for; None when it asks for none. Raises GatewayError 400 for another framing."""
    found = GOOGLES_CALL.fullmatch(raw_path)
    if found is None or is_ambiguous(raw_path):
        return None
    try:
        model = unquote_to_bytes(found[1]).decode()
    except UnicodeDecodeError:
        return None
    framings = set(_values(query, _FRAMING))
    if len(framings) > 1 or not framings <= {_SSE, _JSON}:
        raise refusals.bad_framing()
    return ADDRESSED_ENDPOINTS[found[2]], Addressed(model, found[2] == STREAM, _SSE in framings)


def keys_in_query(raw_path: bytes, query: bytes) -> list[bytes]:
    """The keys that a query holds, as they stand there, where one may be in it."""
    return _values(query, _KEY) if is_googles(raw_path) else []


def _values(query: bytes, name: bytes) -> list[bytes]:
    """A parameter's values. Neither its name nor its value is decoded: nobody has to encode these."""
    pairs = (pair.partition(b"=") for pair in query.split(b"&"))
    return [value for given, _, value in pairs if given == name]
