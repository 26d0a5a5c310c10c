"""The formats that upstreams speak: those of clients, and one row for each that no client speaks.

It must not know how anything is converted.
"""

from oneapi.dialects.codec import CODECS, UpstreamCodec

UPSTREAMS: dict[str, UpstreamCodec] = {**CODECS}
