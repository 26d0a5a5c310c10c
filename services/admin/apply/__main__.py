"""`python -m services.admin.apply -f FILE [--dry-run]`: arguments, environment, exit codes.

Decides what a person reads: differences and a summary on standard error, new keys on standard output. It must not know
what an entry means.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from oneapi.runtime.environment import Environment, SettingError
from services.admin.apply.client import Client, Refused
from services.admin.apply.document import BadDocument, Document, read
from services.admin.apply.steps import Applier, Failed

DONE, FAILED, MISUSED = 0, 1, 2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="oneapi apply",
        description="Brings the gateway's configuration to what a file says. What the file doesn't name stays.",
        epilog="Exit status: 0 when all is applied (with --dry-run: can be applied), 1 when the gateway refuses an "
        "entry or doesn't answer, 2 for a file or setting that can't be used.",
    )
    made.add_argument("-f", "--file", required=True, metavar="FILE", help="YAML; - reads standard input")
    made.add_argument("--dry-run", action="store_true", help="only show the difference")
    return made


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Runs the command; the exit status."""
    options = parser().parse_args(arguments)
    env = Environment(environment)
    try:
        token = env.text("ONEAPI_ADMIN_TOKEN")
        url = env.optional("ONEAPI_ADMIN_URL") or env.text("ONEAPI_PUBLIC_URL", "http://127.0.0.1:3000")
        text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
        document = read(text, environment)
    except (SettingError, BadDocument) as problem:
        return _fail(str(problem), MISUSED)
    except (OSError, UnicodeDecodeError) as problem:
        return _fail(f"The file can't be read: {problem}.", MISUSED)
    try:
        return asyncio.run(_apply(url, token, document, options.dry_run))
    except (Failed, Refused) as problem:
        return _fail(f"{problem}.", FAILED)


async def _apply(url: str, token: str, document: Document, dry: bool) -> int:
    async with Client(url, token) as client:
        applier = Applier(client, dry=dry, tell=_say, reveal=_reveal)
        await applier.apply(document)
    _say(f"{applier.differences} {'to change' if dry else 'changed'}, {applier.unchanged} unchanged")
    return DONE


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _reveal(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fail(sentence: str, status: int) -> int:
    _say(f"oneapi apply: {sentence}")
    return status


if __name__ == "__main__":
    sys.exit(main())
