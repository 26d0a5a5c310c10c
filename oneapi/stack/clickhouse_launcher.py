"""A real ClickHouse server out of the `chdb-core` wheel: `python -m oneapi.stack.clickhouse_launcher DIRECTORY`.

The wheel's library holds the whole of `clickhouse local`, whose HTTP listener can be opened by a statement.
This process opens it as DIRECTORY/config.xml says and keeps the data in DIRECTORY/data until SIGTERM or SIGINT. It
decides nothing else: ports, users and limits are the config's. It uses an internal binding of the wheel, so the
wheel's version is pinned; production runs the official server instead.
"""

import contextlib
import fcntl
import importlib.util
import os
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType

STATEMENTS = "SYSTEM START LISTEN HTTP; SELECT * FROM file('/dev/fd/{fd}', 'LineAsString', 'line String') FORMAT Null"


def engine() -> ModuleType:
    """The engine's library itself; `import chdb` would start the other, embedded engine."""
    found = importlib.util.find_spec("chdb")
    if found is None or not found.submodule_search_locations:
        sys.exit("The wheel chdb-core is not installed.")
    library = Path(found.submodule_search_locations[0]) / "_chdb.abi3.so"
    spec = importlib.util.spec_from_file_location("_chdb", library)
    if spec is None or spec.loader is None:
        sys.exit(f"Can't load {library}.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(arguments: list[str]) -> int:
    """Serves until a signal. 0 after a wanted stop, 1 when the directory is in use or the engine ended by itself."""
    directory = Path(arguments[0]).resolve()
    lock = (directory / "launcher.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{directory} is in use by another ClickHouse.", file=sys.stderr)
        return 1
    os.chdir(directory)  # where the engine looks for config.xml
    library = engine()
    library.set_signal_handlers_enabled(0)
    # The last statement reads a pipe of ours: it ends, and the engine with it, when the writing end is closed.
    reading, writing = os.pipe()
    wanted = threading.Event()
    ended = threading.Event()

    def serve() -> None:
        try:
            library.query(STATEMENTS.format(fd=reading), "TabSeparated", path=str(directory / "data"))
        finally:
            ended.set()

    def stop(*_: object) -> None:
        if not wanted.is_set():
            wanted.set()
            os.close(writing)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    ended.wait()
    with contextlib.suppress(OSError):
        os.close(reading)
    # A failing statement is only printed by the engine, so an end that nobody asked for is the failure.
    return 0 if wanted.is_set() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
