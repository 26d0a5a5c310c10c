"""What of a service's life needs no process of its own."""

import gc

import pytest

from oneapi.runtime.lifecycle import Service, freeze_garbage, serve


async def test_another_loop_than_uvloop_is_refused() -> None:
    with pytest.raises(TypeError, match="uvloop"):
        await serve(Service(), 1)


async def test_a_service_must_say_how_it_starts() -> None:
    with pytest.raises(NotImplementedError):
        await Service().start()
    await Service().drain(1)
    await Service().stop()


def test_the_collector_runs_rarely_after_the_start() -> None:
    threshold = gc.get_threshold()
    try:
        freeze_garbage()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] == 50_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
