"""A Docker engine for tests: the one that answers here, else a private one that leaves this machine as it was.

A private engine keeps everything in one folder, and is stopped and swept at the end. Its program is `dockerd` on the
PATH, or Debian's packages unpacked into .tools: nothing is installed, and no system service is started.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNPACKED = ROOT / ".tools/docker"
READY_LIMIT_S = 60.0
STOP_LIMIT_S = 30.0
# Without them the host's networking stays untouched; containers are run on the host's network.
NO_NETWORKING = ("--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false")


class NoEngine(Exception):
    """Why there is no Docker engine here, in a sentence."""


@dataclass(frozen=True)
class Engine:
    """A daemon that answers. `address` is what DOCKER_HOST takes; empty means the client's own default."""

    address: str = ""
    search: str = field(default_factory=lambda: os.environ.get("PATH", os.defpath))

    def environment(self) -> dict[str, str]:
        """The environment of its clients. The classic builder is the one that needs no image of its own."""
        own = {"DOCKER_HOST": self.address} if self.address else {}
        return {**os.environ, **own, "PATH": self.search, "DOCKER_BUILDKIT": "0"}

    def docker(self, *arguments: str, limit_s: float = 600) -> str:
        """The standard output of a docker command. AssertionError with all it said when it fails."""
        code, output, errors = self.ask(*arguments, limit_s=limit_s)
        assert code == 0, f"docker {' '.join(arguments[:2])}: exit code {code}\n{(output + errors)[-4000:]}"
        return output

    def ask(self, *arguments: str, limit_s: float = 600) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a docker command."""
        done = subprocess.run(
            ["docker", *arguments],
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout.strip(), done.stderr

    def has(self, image: str) -> bool:
        """Whether an image is there; nothing is ever pulled."""
        return self.ask("image", "inspect", image)[0] == 0

    def take_in(self, tar_command: Sequence[str], image: str, *changes: str) -> None:
        """Makes an image of a file system that a command writes as an archive to its standard output."""
        options = [word for change in changes for word in ("--change", change)]
        with subprocess.Popen(tar_command, stdout=subprocess.PIPE) as archive:
            command = ["docker", "import", *options, "-", image]
            subprocess.run(command, env=self.environment(), stdin=archive.stdout, check=True, stdout=subprocess.DEVNULL)
        assert archive.returncode == 0, tar_command


@contextmanager
def engine(*, networking: bool = False) -> Iterator[Engine]:
    """The daemon that answers here, else a private one. Raises NoEngine.

    `networking` gives a private one a bridge and published ports; only for a network namespace of one's own.
    """
    if shutil.which("docker") and (found := Engine()).ask("version", limit_s=30)[0] == 0:
        yield found
        return
    if os.geteuid() != 0:
        raise NoEngine("no Docker daemon answers, and only root can start a private one")
    with private_engine(program_search_path(), networking=networking) as own:
        yield own


def program_search_path() -> str:
    """A PATH with dockerd and what it starts; unpacks Debian's packages where there is none. Raises NoEngine."""
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("dockerd", path=path):
        return path
    search = os.pathsep.join([path, str(UNPACKED / "usr/sbin"), str(UNPACKED / "usr/bin")])
    if not shutil.which("dockerd", path=search):
        unpack("docker.io", UNPACKED)
    return search


def unpack(package: str, folder: Path) -> None:
    """Unpacks a Debian package, and what it needs and the system lacks, into a folder. Raises NoEngine."""
    if shutil.which("apt-get") is None:
        raise NoEngine(f"{package} is not here, and there is no apt-get to fetch it with")
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpack-") as name:
        archives = Path(name) / "archives"
        (archives / "partial").mkdir(parents=True)
        fetch = [
            "apt-get",
            "-q",
            "-y",
            f"-oDir::Cache::archives={archives}",
            "-oAPT::Sandbox::User=",
            "-oDebug::NoLocking=1",
        ]
        subprocess.run([*fetch, "update"], check=False, capture_output=True)
        done = subprocess.run(
            [*fetch, "install", "--download-only", "--no-install-recommends", package],
            check=False,
            capture_output=True,
            text=True,
        )
        found = sorted(archives.glob("*.deb"))
        if done.returncode or not found:
            raise NoEngine(f"{package} can't be fetched: {done.stderr.strip().splitlines()[-1:]}")
        for archive in found:
            subprocess.run(["dpkg", "-x", archive, Path(name) / "root"], check=True)
        programs = Path(name) / "root/usr/sbin"
        if (programs / "xtables-nft-multi").exists():
            # Their plain names are alternatives, which unpacking alone doesn't make.
            for tool in ("iptables", "ip6tables"):
                (programs / tool).symlink_to("xtables-nft-multi")
        (Path(name) / "root").replace(folder)


@contextmanager
def private_engine(search: str, *, networking: bool) -> Iterator[Engine]:
    """A daemon in a folder of its own, gone at the end with its containers, mounts and files. Raises NoEngine."""
    folder = Path(tempfile.mkdtemp(prefix="oneapi-docker-", dir="/tmp"))
    address = f"unix://{folder / 'socket'}"
    command = [
        "dockerd",
        *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
        *("--pidfile", str(folder / "pid"), "-H", address),
        *(() if networking else NO_NETWORKING),
    ]
    environment = {**os.environ, "PATH": search}
    for libraries in UNPACKED.glob("usr/lib/*-linux-gnu"):
        environment |= {"LD_LIBRARY_PATH": str(libraries), "XTABLES_LIBDIR": str(libraries / "xtables")}
    log = folder / "log"
    with log.open("w") as output:
        daemon = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
        )
    own = Engine(address, search)
    try:
        deadline = time.monotonic() + READY_LIMIT_S
        while own.ask("version", limit_s=30)[0] != 0:
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise NoEngine(f"a private Docker engine does not start here: {log.read_text()[-400:]}")
            time.sleep(0.1)
        yield own
    finally:
        if daemon.poll() is None:
            containers = own.ask("ps", "-aq")[1].split()
            if containers:
                own.ask("rm", "-f", "-v", *containers)
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()
        sweep(folder)


def sweep(folder: Path) -> None:
    """Unmounts what a daemon left mounted in its folder, and deletes it."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((place for place in mounted if place.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", place], check=True)
    shutil.rmtree(folder)
