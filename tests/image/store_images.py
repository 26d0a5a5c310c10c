"""Runs integration tests against stores in containers, through testcontainers: `python -m tests.image.store_images`.

The images have the names that tests/containers.py asks for, and are made from this machine's own servers, so that the
path is tried where nothing can be pulled. They live in a private engine in a network namespace of its own, and end with
it. Arguments are pytest's; without any, the tests of the bus, billing and the edge's money run. Needs root on Linux.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from oneapi.stack import clickhouse_server, programs
from oneapi.stack.machine import Machine
from tests.containers import IMAGES
from tests.image.engine import ROOT, NoEngine, private_engine, program_search_path
from tests.image.python_image import python_image

OWN_NAMESPACE = "ONEAPI_TEST_OWN_NAMESPACE"
DEFAULT_TESTS = ("tests/integration/bus", "tests/integration/billing", "tests/integration/edge_money")
# What the official image does with its two variables, for the launcher over the wheel.
CLICKHOUSE_ENTRY = """
import hashlib, os, pathlib, sys
digest = hashlib.sha256(os.environ["CLICKHOUSE_PASSWORD"].encode()).hexdigest()
users = pathlib.Path("users.template").read_text().replace("@user@", os.environ["CLICKHOUSE_USER"])
pathlib.Path("users.xml").write_text(users.replace("@digest@", digest))
os.execv(sys.executable, [sys.executable, "-P", "clickhouse_launcher.py", "."])
"""


def main(arguments: Sequence[str]) -> int:
    """pytest's exit code; 0 with the reason printed where it can't run."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        print("skipped: only root on Linux can start a private Docker engine in a network namespace of its own")
        return 0
    try:
        if OWN_NAMESPACE in os.environ:
            return run(os.environ[OWN_NAMESPACE], arguments or DEFAULT_TESTS)
        environment = {**os.environ, OWN_NAMESPACE: program_search_path()}
    except NoEngine as why:
        print(f"skipped: {why}")
        return 0
    command = ["unshare", "--net", sys.executable, "-m", "tests.image.store_images", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode


def run(search: str, tests: Sequence[str]) -> int:
    """Builds the images in an engine of this namespace, and runs pytest with that engine as its own."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with private_engine(search, networking=True) as engine, tempfile.TemporaryDirectory(prefix="oneapi-") as folder:
        ground = python_image(engine)
        for name, make in (("nats", nats), ("redis", redis), ("clickhouse", clickhouse)):
            context = Path(folder) / name
            context.mkdir()
            (context / "Dockerfile").write_text("\n".join(make(ground, context)) + "\n")
            engine.docker("build", "-t", IMAGES[name].name, str(context))
        print(engine.docker("images", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}"), flush=True)
        environment = {**engine.environment(), "TESTCONTAINERS_RYUK_DISABLED": "true"}
        with subprocess.Popen(
            ["docker", "events", "--filter", "event=start", "--format", "started {{.From}} {{.Actor.Attributes.name}}"],
            env=engine.environment(),
        ) as events:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", *tests], cwd=ROOT, check=False, env=environment
            )
            events.terminate()
        return done.returncode


def nats(_: str, context: Path) -> list[str]:
    """As the official image: nothing but the server, which takes the command's options."""
    program = programs.nats(Machine()).command[0]
    copy_with_libraries(program, context)
    return ["FROM scratch", "COPY files /", f'ENTRYPOINT ["{program}"]', "EXPOSE 4222"]


def redis(ground: str, context: Path) -> list[str]:
    """As the official image: the command names the server."""
    program = programs.redis(Machine()).command[0]
    copy_with_libraries(program, context)
    return [f"FROM {ground}", "COPY files /", f"RUN ln -sf {program} /usr/local/bin/redis-server", "EXPOSE 6379"]


def clickhouse(ground: str, context: Path) -> list[str]:
    """The launcher over the wheel, configured by the official image's two variables."""
    wheel = Machine().in_wheel("chdb")
    if wheel is None:
        raise NoEngine("the wheel chdb-core is not installed")
    for folder in (wheel, *wheel.parent.glob("chdb*.libs")):
        shutil.copytree(folder, context / "wheel" / folder.name)
    shutil.copy(programs.LAUNCHER, context)
    config = clickhouse_server.CONFIG.format(port=8123, directory="/clickhouse")
    users = clickhouse_server.USERS.format(bootstrap="@bootstrap@", user="@user@", digest="@digest@")
    (context / "config.xml").write_text(config.replace("127.0.0.1", "0.0.0.0"))
    # The launcher's own user stays on the loopback.
    users = users.replace("127.0.0.1", "::/0").replace("@bootstrap@", clickhouse_server.BOOTSTRAP)
    (context / "users.template").write_text(users)
    (context / "entry.py").write_text(CLICKHOUSE_ENTRY)
    return [
        f"FROM {ground}",
        "WORKDIR /clickhouse",
        "ENV PYTHONPATH=/wheel",
        "COPY wheel /wheel",
        "COPY config.xml users.template entry.py clickhouse_launcher.py ./",
        'ENTRYPOINT ["python3", "entry.py"]',
        "EXPOSE 8123",
    ]


def copy_with_libraries(program: str, context: Path) -> None:
    """Puts a program and the libraries that it is linked with under `files`, at the paths where they are here."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    libraries = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
    for path in (program, *(word.rstrip(":") for word in libraries)):
        place = context / "files" / Path(path).relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
