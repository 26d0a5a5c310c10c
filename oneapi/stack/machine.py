"""What this machine offers: programs, packages of its Debian mirror, wheels; everything here touches the machine.

It decides how a thing is looked up or installed, and must not know in which order that is tried for which server.
"""

import fcntl
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
WHEELS_LOCK = PROJECT / "requirements-stack.lock"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
INSTALL_LIMIT_S = 600
# Where Debian keeps servers; not on the PATH of everybody.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


@dataclass(frozen=True)
class Outcome:
    """How an attempt to install ended: `done`, or `why` not, in a few words."""

    done: bool
    why: str = ""


class Machine:
    """The machine that the stack runs on. `tools` is a folder of ours for programs that are unpacked, not installed."""

    def __init__(self, tools: Path = PROJECT / ".tools") -> None:
        self.tools = tools
        self._package_lists_are_fresh = False

    def is_root(self) -> bool:
        """Whether packages can be installed into the system."""
        return os.geteuid() == 0

    def on_path(self, name: str) -> Path | None:
        """A program on PATH or in the system's folders for servers."""
        folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
        found = shutil.which(name, path=folders)
        return Path(found) if found else None

    def in_tools(self, name: str) -> Path | None:
        """A program that was put or unpacked into `tools`."""
        path = self.tools / name
        return path if os.access(path, os.X_OK) else None

    def in_wheel(self, package: str) -> Path | None:
        """The folder of an installed Python package, found without running any of its code."""
        importlib.invalidate_caches()
        found = importlib.util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            return None
        return Path(next(iter(found.submodule_search_locations)))

    def run(self, command: Sequence[str], limit_s: float = INSTALL_LIMIT_S, cwd: Path | None = None) -> tuple[int, str]:
        """Exit code and output of a program; 127 when it can't be started, 124 when it took too long."""
        try:
            result = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=limit_s,
                check=False,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
            )
        except OSError as problem:
            return 127, str(problem)
        except subprocess.TimeoutExpired:
            return 124, f"no end after {limit_s:g} s"
        return result.returncode, result.stdout + result.stderr

    def version_of(self, command: Sequence[str]) -> str:
        """The first dotted number that a program prints about itself, or "unknown"."""
        _, text = self.run(command, limit_s=20)
        found = re.search(r"\d+(?:\.\d+)+", text)
        return found.group() if found else "unknown"

    def unpack_newer(self, package: str, inner: str, suite: str) -> Outcome:
        """Puts one static program of a newer Debian suite into `tools`, checked by Debian's keys; /etc stays as it is.

        `inner` is the program's path inside the package. Works without root.
        """
        mirror = debian_mirror()
        if mirror is None or self.on_path("apt-get") is None or not KEYRING.exists():
            return Outcome(False, "this is not a Debian with a mirror")
        with self._installing(), tempfile.TemporaryDirectory(dir=self.tools, prefix="unpack-") as name:
            if self.in_tools(Path(inner).name):
                return Outcome(True)
            folder = Path(name)
            sources = folder / "sources.list"
            sources.write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
            (folder / "lists/partial").mkdir(parents=True)
            (folder / "cache").mkdir()
            settings = {
                "Dir::Etc::sourcelist": sources,
                "Dir::Etc::sourceparts": "-",
                "Dir::State::lists": folder / "lists",
                "Dir::Cache": folder / "cache",
                "Acquire::Languages": "none",
                "APT::Sandbox::User": "",
                "Acquire::Retries": 2,
            }
            apt = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in settings.items())]
            for step in ([*apt, "update"], [*apt, "download", package]):
                code, text = self.run(step, cwd=folder)
                if code:
                    return Outcome(False, f"Debian {suite}: {last_line(text)}")
            for archive in folder.glob("*.deb"):
                code, text = self.run(["dpkg", "-x", str(archive), str(folder / "root")])
                if code:
                    return Outcome(False, f"Debian {suite}: {last_line(text)}")
            program = folder / "root" / inner
            code, text = self.run([str(program), "--version"], limit_s=20)
            if code:
                return Outcome(False, f"Debian {suite}'s {package} doesn't run here: {last_line(text)}")
            program.replace(self.tools / program.name)
        return Outcome(True)

    def apt_install(self, package: str) -> Outcome:
        """Installs a package of the system's own suite; only as root."""
        if self.on_path("apt-get") is None:
            return Outcome(False, "there is no apt-get")
        if not self.is_root():
            return Outcome(False, "apt-get needs root")
        with self._installing():
            apt = ["apt-get", "-q", "-y", "-oDPkg::Lock::Timeout=120", "-oAcquire::Retries=2"]
            if not self._package_lists_are_fresh:
                # Its failure is no verdict: one broken source of many must not stop what the others have.
                self.run([*apt, "update"])
                self._package_lists_are_fresh = True
            code, text = self.run([*apt, "install", "--no-install-recommends", package])
        return Outcome(code == 0, "" if code == 0 else f"apt-get: {last_line(text)}")

    def install_wheels(self) -> Outcome:
        """Installs the wheels of requirements-stack.lock, by their hashes, into this virtual environment."""
        if not WHEELS_LOCK.exists():
            return Outcome(False, f"{WHEELS_LOCK.name} is not there")
        if sys.prefix == sys.base_prefix:
            return Outcome(False, "this Python is not a virtual environment")
        arguments = ["install", "--require-hashes", "--no-deps", "-r", str(WHEELS_LOCK)]
        with self._installing():
            uv = Path(sys.prefix) / "bin/uv"
            if uv.exists():
                command = [str(uv), "pip", *arguments, "--python", sys.executable]
            else:
                command = [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check"]
            code, text = self.run(command)
        return Outcome(code == 0, "" if code == 0 else f"pip: {last_line(text)}")

    @contextmanager
    def _installing(self) -> Iterator[None]:
        """One installer at a time, whichever process it is in."""
        self.tools.mkdir(parents=True, exist_ok=True)
        with (self.tools / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def debian_mirror() -> str | None:
    """The address of the Debian mirror that this system is configured with."""
    for path in [*sorted(Path("/etc/apt").glob("sources.list.d/*")), Path("/etc/apt/sources.list")]:
        if path.suffix in (".list", ".sources") and path.is_file():
            found = mirror_in(path.read_text(errors="replace"))
            if found:
                return found
    return None


def mirror_in(text: str) -> str | None:
    """The first address in a sources file whose path ends in /debian, in either of apt's two formats."""
    for line in text.splitlines():
        if line.startswith(("deb ", "URIs:")):
            for word in line.split():
                if re.fullmatch(r"https?://\S+/debian/?", word):
                    return word.rstrip("/")
    return None


def last_line(text: str) -> str:
    """What a program said at its end, without the decoration of apt."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "ERROR", "error"))]
    return (errors or lines or ["it said nothing"])[-1].removeprefix("E: ")
