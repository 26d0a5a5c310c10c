"""OpenAI's models on Azure: a resource of the customer's own, and a header of its own for the key.

Decides that its v1 endpoint is called, where a deployment is the body's `model` and no API version is needed. The
resource's bare endpoint, as Azure's older SDK takes it, is accepted as well. It must not know which channels exist.

Source: Microsoft Learn, "Azure OpenAI in Azure AI Foundry Models v1 API".
"""

from oneapi.providers.spec import OPENAI_PATHS, ProviderSpec, api_key_header

_V1 = "/openai/v1"

AZURE_OPENAI = ProviderSpec(
    "azure-openai",
    "",
    ("openai_responses", "openai_chat"),
    ("chat", "embeddings"),
    OPENAI_PATHS,
    api_key_header,
    ending=_V1,
    adds_ending=True,
    base_url_form=f"https://{{resource}}.openai.azure.com{_V1}",
    max_output_field="max_completion_tokens",
)
