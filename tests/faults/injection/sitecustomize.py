"""Kills the process that loads this at a named call, or gives a module's constants other values.

Python imports a module of this name at its start. Without the variables it does nothing.

    FAULTS_CRASH_AT  module:Class.method:before|after:N   SIGKILL to itself at the N-th call, or when that has returned
    FAULTS_SET       module:NAME=number, separated by spaces
"""

import functools
import importlib.abc
import importlib.machinery
import inspect
import itertools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

Change = Callable[[ModuleType], None]


def die() -> None:
    """As kill -9 from outside, but exactly here."""
    os.kill(os.getpid(), signal.SIGKILL)


def crash_at(place: str, when: str, number: int) -> Change:
    """Replaces the function at `place` by one that ends the process."""

    def change(module: ModuleType) -> None:
        *owners, name = place.split(".")
        owner: Any = functools.reduce(getattr, owners, module)
        setattr(owner, name, lethal(getattr(owner, name), when, number))

    return change


def lethal(function: Callable[..., Any], when: str, number: int) -> Callable[..., Any]:
    """The function, except that its N-th call is the end."""
    calls = itertools.count(1)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wrapped_coroutine(*args: Any, **kwargs: Any) -> Any:
            if when == "before" and next(calls) == number:
                die()
            result = await function(*args, **kwargs)
            if when == "after" and next(calls) == number:
                die()
            return result

        return wrapped_coroutine

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if when == "before" and next(calls) == number:
            die()
        result = function(*args, **kwargs)
        if when == "after" and next(calls) == number:
            die()
        return result

    return wrapped


def set_constant(name: str, value: float) -> Change:
    return lambda module: setattr(module, name, value)


def read() -> dict[str, list[Change]]:
    """Changes by module."""
    changes: dict[str, list[Change]] = {}
    if place := os.environ.get("FAULTS_CRASH_AT", ""):
        module, name, when, number = place.split(":")
        changes.setdefault(module, []).append(crash_at(name, when, int(number)))
    for setting in os.environ.get("FAULTS_SET", "").split():
        module, _, assignment = setting.partition(":")
        name, _, value = assignment.partition("=")
        changes.setdefault(module, []).append(set_constant(name, float(value) if "." in value else int(value)))
    return changes


class Injector(importlib.abc.MetaPathFinder):
    """Changes modules right after they were loaded, before anybody has taken anything from them."""

    def __init__(self, changes: dict[str, list[Change]]) -> None:
        self._changes = changes

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        changes = self._changes.pop(fullname, None)
        if changes is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for change in changes:
                change(module)

        setattr(spec.loader, "exec_module", exec_module)  # noqa: B010 - a method of this one loader
        return spec


if _changes := read():
    sys.meta_path.insert(0, Injector(_changes))
