"""Amazon Bedrock: the Converse API of a region, with a Bedrock API key or an AWS access key.

Decides that a credential without a colon is an API key and goes as a bearer, that anything else signs each request and
is never sent, and where the region stands in a base URL. Models are listed by Bedrock's other host. It must not know
which channels exist.

Source: Amazon Bedrock User Guide, "Amazon Bedrock endpoints" and "Use an Amazon Bedrock API key".
"""

import re

from oneapi.providers.signing.aws import signers
from oneapi.providers.spec import Headers, ProviderSpec, bearer

_HOST = re.compile(r"//(?:[^/]*\.)?bedrock-runtime(?:-fips)?\.(?P<region>[a-z0-9-]+)\.")
_RUNTIME = re.compile(r"//bedrock-runtime(?=[.-])")


def credentials(api_key: str) -> Headers:
    """A Bedrock API key's header; none for an access key."""
    return [] if ":" in api_key else bearer(api_key)


def models_place(base_url: str) -> str:
    """Where models are listed: at the host that isn't the runtime's."""
    return _RUNTIME.sub("//bedrock", base_url, count=1) + "/foundation-models"


BEDROCK = ProviderSpec(
    "bedrock",
    "",
    ("bedrock_converse",),
    ("chat",),
    {"bedrock_converse": "/model/{model}/converse"},
    credentials,
    base_url_form="https://bedrock-runtime.{region}.amazonaws.com",
    stream_paths={"bedrock_converse": "/model/{model}/converse-stream"},
    signers=signers("bedrock", _HOST),
    models_place=models_place,
)
