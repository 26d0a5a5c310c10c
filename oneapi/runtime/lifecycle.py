"""Starts, drains and stops a service process.

It decides what signals mean: the first SIGTERM or SIGINT drains within a bound and stops, a second one ends at once.
It must not know what the service does.
"""

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable

import uvloop

from oneapi.runtime import descriptors
from oneapi.runtime.environment import Environment, SettingError, forget_proxies
from oneapi.runtime.tasks import cancel

logger = logging.getLogger(__name__)

DEFAULT_DRAIN_S = 30.0
_STOP_LIMIT_S = 5.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1
_EXIT_FAILED = 1
_EXIT_BAD_SETTING = 2


class Service:
    """What a service process is made of. Subclasses say how each step is done."""

    name = "service"

    async def start(self) -> None:
        """Returns when the service runs. It may be cancelled by a signal."""
        raise NotImplementedError

    async def drain(self, limit_s: float) -> None:
        """Takes no new work and finishes what is running, for at most `limit_s` seconds."""

    async def stop(self) -> None:
        """Lets go of everything. Called once, also after a failed or cancelled start."""


def run(service_factory: Callable[[], Service]) -> None:
    """Runs the service until a signal, then ends the process with `SystemExit`.

    `service_factory` reads the settings. Exit statuses: 0 after a signal, 1 when the start failed, 2 for a bad setting.
    `ONEAPI_DRAIN_SECONDS` bounds the drain; with `ONEAPI_PARENT_DEATH=1` the process dies with its parent.
    """
    forget_proxies(os.environ)
    environment = Environment(os.environ)
    try:
        drain_s = environment.number("ONEAPI_DRAIN_SECONDS", DEFAULT_DRAIN_S, low=0)
        if environment.flag("ONEAPI_PARENT_DEATH", default=False):
            die_with_parent()
        service = service_factory()
        descriptors.raise_limit()
    except SettingError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(_EXIT_BAD_SETTING)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        status = runner.run(serve(service, drain_s))
    logging.shutdown()
    sys.exit(status)


async def serve(service: Service, drain_s: float) -> int:
    """Start, wait for a signal, drain, stop. Returns the exit status of the process."""
    loop = asyncio.get_running_loop()
    # On another loop every figure of the edge is wrong, and nobody would notice.
    if not isinstance(loop, uvloop.Loop):
        raise TypeError("the service must run on uvloop")
    asked = asyncio.Event()

    def on_signal() -> None:
        if asked.is_set():
            os._exit(_EXIT_FAILED)
        asked.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal)
    waiting = loop.create_task(asked.wait(), name="signal")
    starting = loop.create_task(service.start(), name=f"start {service.name}")
    try:
        status = await _until_asked(service, starting, waiting)
        if status == 0 and not starting.cancelled():
            await _drain(service, drain_s)
    finally:
        waiting.cancel()
        await _stop(service)
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    return status


async def _until_asked(service: Service, starting: asyncio.Task[None], waiting: asyncio.Task[bool]) -> int:
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        await cancel([starting])
        return 0
    failure = starting.exception()
    if isinstance(failure, SettingError):
        sys.stderr.write(f"{failure}\n")
        return _EXIT_BAD_SETTING
    if failure is not None:
        logger.critical("the service could not start", exc_info=failure)
        return _EXIT_FAILED
    freeze_garbage()
    logger.info("the service runs", extra={"fields": {"pid": os.getpid()}})
    await waiting
    return 0


async def _drain(service: Service, drain_s: float) -> None:
    logger.info("the service drains", extra={"fields": {"limit_s": drain_s}})
    try:
        async with asyncio.timeout(drain_s + 1.0):
            await service.drain(drain_s)
    except TimeoutError:
        logger.warning("the drain took too long and was cut")
    except Exception:  # a failed drain must not keep the process from stopping in order
        logger.exception("the drain failed")


async def _stop(service: Service) -> None:
    try:
        async with asyncio.timeout(_STOP_LIMIT_S):
            await service.stop()
    except TimeoutError:
        logger.warning("the stop took too long and was cut")
    except Exception:  # the process ends anyway; the log says what was left
        logger.exception("the stop failed")


def freeze_garbage() -> None:
    """Takes what the start made out of the collector's sight, and lets it run more rarely (about 10 % of CPU)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def die_with_parent() -> None:
    """Asks the kernel to end this process when its parent ends. Linux only; elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        # It ended between our birth and the call: nobody will send the signal.
        sys.exit(_EXIT_FAILED)
