"""A Debian with Python to build the image on, without pulling one.

It decides where it comes from: the one that the operator names, the official one where the engine has it, else one made
with debootstrap from this machine's own Debian mirror.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from oneapi.stack.machine import debian_mirror
from tests.image.engine import ROOT, Engine, NoEngine, unpack

OFFICIAL = "python:3.11-slim-bookworm"
OWN = "oneapi-test-python"
DEBOOTSTRAP = ROOT / ".tools/debootstrap"
ARCHIVE = ROOT / ".tools/python-image.tar"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PACKAGES = "ca-certificates,python3,python3-venv"
LEFT_OUT = ("./dev/*", "./proc/*", "./sys/*", "./var/cache/apt/archives/*", "./var/lib/apt/lists/*")


def python_image(engine: Engine) -> str:
    """The name of an image that the engine has. Raises NoEngine when there is none and none can be made."""
    named = os.environ.get("ONEAPI_TEST_PYTHON_IMAGE", OFFICIAL)
    if engine.has(named):
        return named
    if not ARCHIVE.exists():
        make_archive()
    # It trusts whom this machine trusts, or pip could not reach a registry behind the machine's own authority.
    trust = [f"ENV {name}={CERTIFICATES}" for name in ("PIP_CERT", "SSL_CERT_FILE")]
    engine.take_in(["cat", str(ARCHIVE)], OWN, *trust)
    return OWN


def make_archive() -> None:
    """Writes the file system of a minimal Debian with Python, of the suite that this machine runs."""
    mirror = debian_mirror()
    if mirror is None or os.geteuid() != 0:
        raise NoEngine(f"the engine has no {OFFICIAL}, and only root on a Debian can make another image")
    if shutil.which("debootstrap") is None and not DEBOOTSTRAP.exists():
        unpack("debootstrap", DEBOOTSTRAP)
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    suite = release["VERSION_CODENAME"].strip('"')
    with tempfile.TemporaryDirectory(prefix="oneapi-debootstrap-") as name:
        root = Path(name) / "root"
        run_debootstrap(["--variant=minbase", f"--include={PACKAGES}", suite, str(root), mirror])
        shutil.copyfile(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
        unfinished = ARCHIVE.with_suffix(".new")
        excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
        subprocess.run(["tar", "-C", root, *excluded, "-cf", unfinished, "."], check=True)
        unfinished.replace(ARCHIVE)


def run_debootstrap(arguments: list[str]) -> None:
    """Runs the installed debootstrap, or the unpacked one. Raises NoEngine with what it said last."""
    program = shutil.which("debootstrap") or str(DEBOOTSTRAP / "usr/sbin/debootstrap")
    environment = dict(os.environ)
    if DEBOOTSTRAP.exists():
        environment["DEBOOTSTRAP_DIR"] = str(DEBOOTSTRAP / "usr/share/debootstrap")
    done = subprocess.run(
        ["sh", program, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    if done.returncode:
        raise NoEngine(f"debootstrap can't make a Debian with Python: {done.stdout.strip().splitlines()[-1:]}")
