"""Keeps the stack's processes alive, and ends them in order.

It decides when a process is started, started again and ended, and says so. It must not know what any of them is.
"""

import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from oneapi.stack.backoff import Backoff
from oneapi.stack.plan import Plan
from oneapi.stack.problem import StackProblem
from oneapi.stack.processes import Child, end, ending

TICK_S = 0.05
READY_CHECK_S = 0.2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Unit:
    """One process that is wanted, whether it runs at the moment or not."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.backoff = Backoff()
        self.child: Child | None = None
        self.ready = False
        self.start_at = 0.0
        self.check_at = 0.0
        self.lost_at: float | None = None


class Supervisor:
    """Runs stages of processes, which end one after another, the last one first."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._stages: list[tuple[list[Unit], float]] = []
        self._signals = 0

    def stopping(self) -> bool:
        """Whether a signal has asked for the end."""
        return self._signals > 0

    def handle_signals(self) -> None:
        """From now on SIGINT, SIGTERM and SIGHUP ask for the end; the second one ends everything at once."""
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def start(self, *stages: tuple[Sequence[Plan], float]) -> None:
        """Starts stages together, and returns when all of them are ready, or a signal came.

        With each come the seconds that it has to end after SIGTERM. Raises StackProblem when a process fails.
        """
        earlier = [unit for units, _ in self._stages for unit in units]
        waiting = []
        for plans, end_limit_s in stages:
            units = [Unit(plan) for plan in plans]
            self._stages.append((units, end_limit_s))
            waiting += units
        for unit in waiting:
            unit.child = unit.plan.start()
        begun = time.monotonic()
        while waiting and not self.stopping():
            for unit in earlier:
                self._look_after(unit, time.monotonic())
            for unit in waiting:
                self._check_first_start(unit, late=time.monotonic() > begun + unit.plan.ready_limit_s)
            waiting = [unit for unit in waiting if not unit.ready]
            time.sleep(TICK_S)

    def _check_first_start(self, unit: Unit, *, late: bool) -> None:
        child = unit.child
        if child is None:
            return
        if child.exit_code() is not None:
            raise StackProblem(child.epitaph())
        unit.ready = unit.plan.ready()
        if late and not unit.ready:
            raise StackProblem(child.complaint(unit.plan.ready_limit_s, unit.plan.missing()))

    def watch(self) -> None:
        """Starts again whatever ends, until a signal asks for the end."""
        while not self.stopping():
            for units, _ in self._stages:
                for unit in units:
                    self._look_after(unit, time.monotonic())
            time.sleep(TICK_S)

    def _look_after(self, unit: Unit, now: float) -> None:
        if unit.child is None:
            if now >= unit.start_at:
                unit.child = unit.plan.start()
                unit.check_at = now
            return
        code = unit.child.exit_code()
        if code is not None:
            wait = unit.backoff.next_wait(now - unit.child.started_at)
            self._say(f"{unit.plan.name} ended ({ending(code)}); it is started again in {wait:g} s.")
            end([unit.child], 0)
            unit.child, unit.ready, unit.start_at = None, False, now + wait
            if unit.lost_at is None:
                unit.lost_at = now
        elif not unit.ready and now >= unit.check_at:
            unit.ready = unit.plan.ready()
            unit.check_at = now + READY_CHECK_S
            if unit.ready and unit.lost_at is not None:
                self._say(f"{unit.plan.name} is back after {now - unit.lost_at:.1f} s.")
                unit.lost_at = None

    def stop(self) -> None:
        """Ends every stage, the last one first, politely within its limit and then surely."""
        for units, limit_s in reversed(self._stages):
            running = [unit.child for unit in units if unit.child is not None]
            for name in end(running, limit_s, impatient=lambda: self._signals > 1):
                self._say(f"{name} did not end in time and was killed.")
        self._stages.clear()
