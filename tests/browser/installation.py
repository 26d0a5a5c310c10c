"""Finds a browser, or installs the system's.

It decides which browsers will do. Browsers that packages would download from hosts of their own are not among them.
"""

import os
import shutil
import subprocess

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGE = "chromium"
LIMIT_S = 900


def browser() -> str:
    """The path of a browser's program. Ends the run with what to do when there is none."""
    found = _on_path()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {PACKAGE}", flush=True)
        for command in (["update"], ["install", "-y", "--no-install-recommends", PACKAGE]):
            subprocess.run(["apt-get", "-qq", *command], timeout=LIMIT_S, stdout=subprocess.DEVNULL, check=False)
        found = _on_path()
    if found is None:
        raise SystemExit(
            f"These tests need Chromium, as one of {', '.join(PROGRAMS)} on PATH. On Debian, as root: "
            f"apt-get install --no-install-recommends {PACKAGE}"
        )
    return found


def _on_path() -> str | None:
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)
