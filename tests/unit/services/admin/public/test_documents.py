"""All documents over random catalogs: one truth in each of them, nothing secret, nothing broken."""

from hypothesis import HealthCheck, given, settings

from oneapi.catalog.public.build import channel_names
from oneapi.pricing.charge import rate_of
from oneapi.pricing.rates import resolve, version_at
from services.admin.public.registry import DOCUMENTS
from services.admin.public.site import Public
from services.admin.public.text import line
from services.edge.openrouter_list import openrouter_list
from tests.unit.oneapi.catalog.public.catalogs import SECRET, Sample, samples
from tests.unit.services.admin.public.documents.sample import SITE
from tests.unit.services.admin.public.readers import MODELS, TOOLS, Rates, Shown, openrouter_models
from tests.unit.services.admin.public.views import tables

often = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
seldom = settings(often, max_examples=5)
"""For all documents with the whole management API in them, which take seconds."""


def charged(sample: Sample) -> dict[Shown, Rates]:
    """What requests are charged, by the functions that bill."""
    names, found = channel_names(sample.catalog), {}
    for channel in sample.catalog.channels.values():
        if not channel.enabled:
            continue
        for model in channel.models:
            if {model, "*"} & set(channel.hidden_models):
                continue
            price = sample.catalog.price(model, channel.id)
            version = None if price is None else version_at(price.versions, sample.at_ms)
            rates = None if version is None else resolve(version, sample.at_ms, 0)
            found[names[channel.id], model] = (
                None
                if rates is None
                else (rate_of("input", rates), rate_of("cached_input", rates), rate_of("output", rates))
            )
    return found


def as_line(shown: Shown) -> Shown:
    """How the two names read where they stand in one line."""
    return line(shown[0], 300), line(shown[1], 300)


@often
@given(samples())
def test_each_model_has_one_price_everywhere(sample: Sample) -> None:
    view, wanted = sample.view, charged(sample)
    for read in MODELS:
        assert {as_line(key): rates for key, rates in read(view).items()} == {
            as_line(key): rates for key, rates in wanted.items()
        }, read.__name__
    for model, shown in openrouter_models(view).items():
        first = wanted[view.by_model[model][0].channel, model]
        assert shown == (None if first is None else (first[0], first[2]))
    assert set(openrouter_models(view)) == {model for _, model in wanted}


@often
@given(samples())
def test_each_tool_has_one_price_everywhere(sample: Sample) -> None:
    view = sample.view
    wanted = {}
    for tool in view.tools:
        server = sample.catalog.mcp_servers[tool.server_id]
        assert server.enabled
        wanted[as_line((server.name, tool.name))] = server.prices.get(tool.name, 0)
    assert len({tool.name for tool in view.tools}) == len(view.tools)
    for read in TOOLS:
        assert {as_line(key): usd for key, usd in read(view).items()} == wanted, read.__name__


@seldom
@given(samples())
def test_nothing_secret_is_in_any_document_and_no_table_is_broken(sample: Sample) -> None:
    public = Public(site=SITE, view=sample.view)
    texts = {"openrouter": openrouter_list(sample.view).decode()}
    for document in DOCUMENTS:
        for form in document.representations:
            texts[f"{document.path} {form.media_type}"] = form.render(public)
    for name, text in texts.items():
        assert SECRET not in text, name
        if "markdown" in name:
            tables(text)
            assert "<script>" not in text, name
    again = Sample(sample.catalog, tuple(reversed(sample.listings)), sample.at_ms)
    assert again.view == sample.view
