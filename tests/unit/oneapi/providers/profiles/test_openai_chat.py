import pytest

from oneapi.providers.profiles.openai_chat import QUIRKS
from oneapi.providers.profiles.quirk import Quirk
from oneapi.providers.registry import PROVIDERS


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: quirk.reason)
def test_rows_are_complete(quirk: Quirk) -> None:
    assert quirk.providers <= set(PROVIDERS)
    assert all(quirk.dialect in PROVIDERS[provider].spoken for provider in quirk.providers)
    assert len(quirk.reason) > 20
    assert quirk.reason.endswith(".")
    assert quirk.renamed or quirk.refused or quirk.dropped or not quirk.include_usage
    assert not {"model", "messages", "stream"} & (set(quirk.renamed) | quirk.refused | quirk.dropped)


def test_usage_that_is_not_asked_for_is_not_asked_for_by_the_client_either() -> None:
    assert all("stream_options" in quirk.dropped for quirk in QUIRKS if not quirk.include_usage)


def test_a_name_that_is_known_to_be_refused_is_not_the_gateways_own() -> None:
    for quirk in QUIRKS:
        for provider in quirk.providers & {"openai", "azure-openai", "mistral"}:
            assert PROVIDERS[provider].max_output_field not in quirk.renamed
