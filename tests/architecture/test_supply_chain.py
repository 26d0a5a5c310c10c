"""Every package that is installed is pinned by a hash, and no file of ours says where packages come from."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.architecture.sources import ROOT

CLIENTS = ROOT / "tests/clients"
LOCKS = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("requirements*.lock"), *(CLIENTS / "python").glob("requirements.lock"))
)
# Written so that this file names none of them either.
INDEXES = re.compile(
    r"pypi\.(?:org|python)|python" r"hosted\.org|test\.pypi|--(?:extra-)?index-url|--find-links|--trusted-host"
    r"|registry\.npmjs|git\+(?:https|ssh)|\[\[tool\.uv\.index\]\]"
)  # fmt: skip


def requirements(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each requirement of a lock, with its hashes."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            head, *hashes = line.split(" --hash=")
            yield head.strip(), [found.strip() for found in hashes]


def problems(text: str) -> list[str]:
    """Requirements that aren't pinned to one version with a hash."""
    pinned = re.compile(r"[a-z0-9][a-z0-9._-]*(?:\[[a-z0-9,_-]+\])?==[A-Za-z0-9.+!]+(?: ; .+)?")
    return [
        head
        for head, hashes in requirements(text)
        if not pinned.fullmatch(head)
        or not hashes
        or not all(re.fullmatch("sha256:[0-9a-f]{64}", found) for found in hashes)
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_by_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert len(list(requirements(text))) >= 2
    assert problems(text) == []


@pytest.mark.parametrize("folder", ["tests/browser/node", "tests/clients/node"])
def test_every_npm_package_is_pinned_by_hash(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    asked = json.loads((ROOT / folder / "package.json").read_text())
    own = lock["packages"].pop("")
    assert own["dependencies"] == asked["dependencies"]
    assert own["optionalDependencies"] == asked["optionalDependencies"]
    assert all(re.fullmatch(r"[0-9.]+", version) for version in asked["dependencies"].values())
    for name, package in lock["packages"].items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


@pytest.mark.parametrize(
    "line",
    [
        "a==1",
        "a>=1 --hash=sha256:" + "0" * 64,
        "a --hash=sha256:" + "0" * 64,
        "a==1 --hash=md5:" + "0" * 32,
        "a @ https://example.com/a.whl --hash=sha256:" + "0" * 64,
        "git+https://example.com/a.git",
        "-e .",
        "--index-url https://example.com",
        "a==1.* --hash=sha256:" + "0" * 64,
    ],
)
def test_a_planted_requirement_is_found(line: str) -> None:
    assert len(problems(f"{line}\n")) == 1


def test_no_tracked_file_says_where_packages_come_from() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    named = []
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if not name or not path.is_file() or path == Path(__file__):
            continue
        found = INDEXES.search(path.read_text(errors="replace"))
        if found:
            named.append((name, found[0]))
    assert not named


def test_the_runtime_lock_is_a_part_of_the_one_that_tests_run_on() -> None:
    tested = dict(requirements((ROOT / "requirements-dev.lock").read_text()))
    for head, hashes in requirements((ROOT / "requirements.lock").read_text()):
        assert tested.get(head) == hashes, head


def test_the_image_installs_by_hash_alone_and_runs_nothing_at_start() -> None:
    lines = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ").splitlines()
    installs = [part for line in lines for part in line.split("&&") if "pip install" in part]
    assert len(installs) == 3
    for part in installs:
        # The third is the wheel of our own, just built.
        assert "--require-hashes" in part or ("--no-deps" in part and "/wheels/" in part), part
    assert any("find /opt/oneapi -name '*.pth'" in line and "exit 1" in line for line in lines)
    assert lines.index("USER 10001:10001") > max(place for place, line in enumerate(lines) if line.startswith("RUN"))


def test_the_images_build_ends_at_a_file_that_would_run_at_every_start(tmp_path: Path) -> None:
    lines = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ").splitlines()
    (step,) = [line.removeprefix("RUN ") for line in lines if line.startswith("RUN for file in")]

    def code(**allowed: str) -> int:
        program = step.replace("/opt/oneapi", str(tmp_path))
        return subprocess.run(["sh", "-c", program], env=allowed, capture_output=True, check=False).returncode

    (tmp_path / "lib").mkdir()
    assert code() == 0
    (tmp_path / "lib/planted.pth").write_text("import os")
    assert code() == 1
    assert code(ALLOWED_PTH="other.pth planted.pth") == 0
    assert code(ALLOWED_PTH="otherplanted.pth") == 1


@pytest.fixture(scope="module")
def sboms(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("sbom")
    made = []
    for name in ("one", "two"):
        path = folder / f"{name}.json"
        program = f"BIN={Path(sys.executable).parent}"
        subprocess.run(
            ["make", "-s", "-o", "venv-test", "sbom", program, f"SBOM={path}"], cwd=ROOT, timeout=60, check=True
        )
        made.append(path.read_text())
    return made


def test_the_sbom_is_valid_and_the_same_each_time(sboms: list[str]) -> None:
    assert sboms[0] == sboms[1]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sboms[0]) is None
    document = json.loads(sboms[0])
    assert "serialNumber" not in document
    assert "timestamp" not in document["metadata"]
    assert document["metadata"]["component"]["name"] == "one-api"


def test_the_sbom_lists_what_the_lock_pins(sboms: list[str]) -> None:
    listed = {
        f"{component['name']}=={component['version']}": {
            f"sha256:{found['content']}" for place in component["externalReferences"] for found in place["hashes"]
        }
        for component in json.loads(sboms[0])["components"]
    }
    pinned = {
        re.sub(r"\[.*?\]| ;.*", "", head): set(hashes)
        for head, hashes in requirements((ROOT / "requirements.lock").read_text())
    }
    assert listed == pinned
