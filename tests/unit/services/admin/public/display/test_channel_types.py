from oneapi.providers.registry import PROVIDERS
from services.admin.public.display.channel_types import CHANNEL_TYPES, channel_type


def test_numbers_are_of_vendors_that_there_are() -> None:
    assert set(CHANNEL_TYPES) <= PROVIDERS.keys() | {"vertex"}
    assert (channel_type("openai"), channel_type("nobody")) == (1, 0)
