"""The command `oneapi`: reads its arguments and hands over to the stack or to one service.

It decides the commands' names. It imports no service: a service, and a command that a service offers, is another
program, which takes this one's place.
"""

import argparse
import errno
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from oneapi.runtime.environment import SettingError
from oneapi.stack.data_directory import DataDirectory, unusable
from oneapi.stack.problem import StackProblem
from oneapi.stack.running import complete

SERVICES = ("edge", "router", "billing", "mcp", "admin")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(prog="oneapi", description="A self-hosted AI gateway.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("up", help="run the whole stack here until Ctrl-C")
    for service in SERVICES:
        commands.add_parser(service, help=f"run the service {service} alone, configured by the environment")
    apply = commands.add_parser("apply", help="bring the configuration to what a file says")
    apply.add_argument("-f", "--file", required=True, metavar="FILE", help="YAML; - reads standard input")
    apply.add_argument("--dry-run", action="store_true", help="only show the difference")
    ledger = commands.add_parser("ledger", help="the ledger's own commands")
    actions = ledger.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("verify", help="check the ledger's invariants; exit 0 when all hold")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Exit code 1 for what a person must settle, 2 for wrong arguments or settings."""
    options = parser().parse_args(arguments)
    try:
        return dispatch(options)
    except SettingError as problem:
        return fail(str(problem), 2)
    except StackProblem as problem:
        return fail(problem.text(), 1)
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT):
            raise
        return fail(unusable(Path(problem.filename or "."), problem), 1)
    except KeyboardInterrupt:
        return 130


def dispatch(options: argparse.Namespace) -> int:
    """Runs what the arguments name."""
    if options.command == "up":
        # Here, because a single service needs none of the clients that this brings in, and starts half a second sooner.
        from oneapi.stack.up import up

        return up(os.environ)
    if options.command == "apply":
        arguments = ["-f", options.file, *(["--dry-run"] if options.dry_run else [])]
        return become("services.admin.apply", arguments, running_environment())
    if options.command == "ledger":
        return become("services.billing.verify", [], running_environment())
    return become(f"services.{options.command}", [], os.environ)


def running_environment() -> dict[str, str]:
    """The environment, with the running stack's addresses where it has none."""
    return complete(os.environ, DataDirectory(Path(os.environ.get("ONEAPI_DATA_DIR") or ".data")))


def become(module: str, arguments: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Becomes another program of this project."""
    command = [sys.executable, "-m", module, *arguments]
    os.execve(sys.executable, command, environment)  # noqa: S606 - to become it is the purpose


def fail(sentence: str, code: int) -> int:
    """Says what is wrong and gives the exit code back."""
    print(f"oneapi: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
