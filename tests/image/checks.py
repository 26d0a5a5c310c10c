"""The image for real: built, run as five confined containers against real stores, and asked for one billed answer.

`make test-image` runs it. It is not part of `make test`: it needs a Docker engine or root to start a private one, and
minutes. Where it can't run it is skipped and says why.
"""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest

from tests.image.engine import ROOT, Engine, NoEngine, engine
from tests.image.python_image import python_image
from tests.ports import free_ports

pytestmark = pytest.mark.timeout(1_800)

IMAGE = "one-api:test"
SERVICES = ("edge", "router", "billing", "mcp", "admin")
PACKAGES = ("oneapi", "services", "proto")
PORTS = {
    "ONEAPI_PORT": "edge",
    "ONEAPI_ROUTER_PORT": None,
    "ONEAPI_BILLING_PORT": None,
    "ONEAPI_MCP_PORT": "mcp",
    "ONEAPI_ADMIN_PORT": "admin",
    "ONEAPI_ROUTER_HEALTH_PORT": "router",
    "ONEAPI_BILLING_HEALTH_PORT": "billing",
}
CONFINED = (
    *("--network", "host", "--read-only", "--tmpfs", "/tmp"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
)
Answer = TypeVar("Answer")


def eventually(probe: Callable[[], Answer | None], limit_s: float) -> Answer:
    """The first true answer; AssertionError when none came in time."""
    deadline = time.monotonic() + limit_s
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"still {answer!r} after {limit_s} s"
        time.sleep(0.1)
    return answer


def status_of(url: str) -> int:
    try:
        return httpx2.get(url, timeout=5).status_code
    except httpx2.TransportError:
        return 0


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    try:
        with engine() as found:
            yield found
    except NoEngine as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module")
def image(docker: Engine) -> str:
    try:
        ground = python_image(docker)
    except NoEngine as why:
        pytest.skip(str(why))
    began = time.monotonic()
    arguments = ["--network", "host", "--build-arg", f"PYTHON_IMAGE={ground}", "-f", "deploy/Dockerfile", "-t", IMAGE]
    docker.docker("build", *arguments, ".")
    size = int(docker.docker("image", "inspect", "-f", "{{.Size}}", IMAGE)) / 1e6
    print(f"\nimage {IMAGE} on {ground}: built in {time.monotonic() - began:.0f} s, {size:.0f} MB")
    return IMAGE


class Fleet:
    """The five services as containers on this machine's loopback."""

    def __init__(self, docker: Engine, environment: dict[str, str], spool: Path) -> None:
        self.docker = docker
        self.name = f"oneapi-image-{uuid.uuid4().hex[:8]}"
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self.url = f"http://127.0.0.1:{self.ports['ONEAPI_PORT']}"
        self.environment = (
            environment
            | self.ports
            | {
                "ONEAPI_HOST": "127.0.0.1",
                "ONEAPI_ROUTER_ADDR": f"127.0.0.1:{self.ports['ONEAPI_ROUTER_PORT']}",
                "ONEAPI_BILLING_ADDR": f"127.0.0.1:{self.ports['ONEAPI_BILLING_PORT']}",
                "ONEAPI_MCP_URL": f"http://127.0.0.1:{self.ports['ONEAPI_MCP_PORT']}",
                "ONEAPI_ADMIN_URL": f"http://127.0.0.1:{self.ports['ONEAPI_ADMIN_PORT']}",
                "ONEAPI_PUBLIC_URL": self.url,
                "ONEAPI_DRAIN_SECONDS": "5",
            }
        )
        # The spool's owner is the image's user, as a volume's is by the chart's fsGroup.
        os.chown(spool, 10_001, 10_001)
        self.volume = f"{spool}:/var/lib/oneapi"

    def arguments(self, service: str) -> list[str]:
        """How a service's container is confined and configured; the spool's volume is the edge's alone."""
        withheld = () if service == "admin" else ("DATABASE_URL", "ONEAPI_ADMIN_TOKEN")
        given = {name: value for name, value in self.environment.items() if name not in withheld}
        variables = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
        return [*CONFINED, *(("-v", self.volume) if service == "edge" else ()), *variables]

    def start(self, image: str) -> None:
        for service in SERVICES:
            self.docker.docker(
                "run", "-d", "--name", f"{self.name}-{service}", *self.arguments(service), image, service
            )

    def readiness(self) -> dict[str, int]:
        """The status of each service's /readyz."""
        ports = {service: self.ports[name] for name, service in PORTS.items() if service}
        return {service: status_of(f"http://127.0.0.1:{port}/readyz") for service, port in ports.items()}

    def inspect(self, service: str) -> dict[str, Any]:
        (found,) = json.loads(self.docker.docker("inspect", f"{self.name}-{service}"))
        assert isinstance(found, dict)
        return found

    def inside(self, service: str, *command: str) -> tuple[int, str]:
        code, output, errors = self.docker.ask("exec", f"{self.name}-{service}", *command)
        return code, output + errors

    def logs(self) -> str:
        return "\n".join(
            f"--- {service}\n" + "".join(self.docker.ask("logs", "--tail", "30", f"{self.name}-{service}")[1:])
            for service in SERVICES
        )

    def stop(self) -> dict[str, int]:
        """Ends them as Kubernetes does, SIGTERM first; their exit codes."""
        self.docker.docker("stop", "-t", "20", *(f"{self.name}-{service}" for service in SERVICES))
        return {service: self.inspect(service)["State"]["ExitCode"] for service in SERVICES}

    def remove(self) -> None:
        self.docker.ask("rm", "-f", "-v", *(f"{self.name}-{service}" for service in SERVICES))


@pytest.fixture(scope="module")
def fleet(
    docker: Engine,
    image: str,
    tmp_path_factory: pytest.TempPathFactory,
    nats_url: str,
    redis_url: str,
    clickhouse_url: str,
    postgres_url: str,
) -> Iterator[Fleet]:
    spool = tmp_path_factory.mktemp("spool")
    environment = {
        "NATS_URL": nats_url,
        "REDIS_URL": redis_url,
        "CLICKHOUSE_URL": clickhouse_url,
        "DATABASE_URL": postgres_url,
        "ONEAPI_SECRET_KEY": uuid.uuid4().hex,
        "ONEAPI_ADMIN_TOKEN": f"image-{uuid.uuid4().hex}",
    }
    found = Fleet(docker, environment, spool)
    try:
        found.start(image)
        try:
            eventually(lambda: set(found.readiness().values()) == {200}, 60)
        except AssertionError:
            pytest.fail(f"{found.readiness()}\n{found.logs()}", pytrace=False)
        print(f"readyz: {found.readiness()}")
        yield found
    finally:
        found.remove()


def test_the_image_holds_every_file_of_the_packages(docker: Engine, image: str) -> None:
    """What an editable checkout has by itself, a wheel has only when it is told to."""
    listing = 'cd /opt/oneapi/lib/python3*/site-packages && find "$@" -type f'
    found = docker.docker(
        "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", listing, "-", *PACKAGES
    )
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert set(tracked) <= set(found.split())


def test_a_missing_setting_is_one_sentence(docker: Engine, image: str) -> None:
    for service in SERVICES:
        code, output, errors = docker.ask("run", "--rm", *CONFINED, image, service)
        assert code == 2
        assert "is required and is not set." in errors
        assert len((output + errors).strip().splitlines()) == 1


def test_containers_are_confined(fleet: Fleet) -> None:
    for service in SERVICES:
        assert fleet.inspect(service)["HostConfig"]["ReadonlyRootfs"] is True
        assert fleet.inside(service, "id", "-u") == (0, "10001")
        code, said = fleet.inside(service, "touch", "/opt/oneapi/written")
        assert code != 0
        assert "Read-only file system" in said
    print("containers: uid 10001, read-only root, no capabilities")


def test_one_request_is_answered_and_billed(fleet: Fleet) -> None:
    token = {"authorization": f"Bearer {fleet.environment['ONEAPI_ADMIN_TOKEN']}"}
    made = httpx2.post(f"{fleet.url}/api/keys", json={"name": "image"}, headers=token, timeout=30)
    assert made.status_code == 201, made.text
    with httpx2.Client(
        base_url=fleet.url, headers={"authorization": f"Bearer {made.json()['key']}"}, timeout=30
    ) as client:
        eventually(lambda: client.get("/v1/models").status_code == 200, 10)
        asked = {"model": "sandbox", "messages": [{"role": "user", "content": "Hello"}]}

        def answered() -> httpx2.Response | None:
            answer = client.post("/v1/chat/completions", json=asked)
            # A new account is opened by billing first; until then the door asks to come back.
            assert answer.status_code in {200, 503}, f"{answer.text}\n{fleet.logs()}"
            return answer if answer.status_code == 200 else None

        answer = eventually(answered, 30)
        request_id = answer.headers["x-request-id"]

        def receipt() -> dict[str, Any] | None:
            found = client.get(f"/v1/receipts/{request_id}")
            return dict(found.json()) if found.status_code == 200 else None

        bill = eventually(receipt, 5)
    print(f"chat: {answer.status_code} {answer.json()['choices'][0]['message']['content']!r}")
    print(f"receipt: {json.dumps(bill)}")
    assert bill["request_id"] == request_id
    assert bill["outcome"] == "ok"
    assert bill["cost_usd"] == answer.headers["x-oneapi-cost-usd"]
    assert float(bill["cost_usd"]) > 0


def test_the_ledger_holds(fleet: Fleet) -> None:
    verified = fleet.docker.docker("run", "--rm", *fleet.arguments("billing"), IMAGE, "ledger", "verify", limit_s=120)
    print(f"ledger verify: {verified.splitlines()[-1:]}")


def test_sigterm_ends_every_service_in_order(fleet: Fleet) -> None:
    began = time.monotonic()
    codes = fleet.stop()
    print(f"stopped: {codes} after {time.monotonic() - began:.1f} s")
    assert set(codes.values()) == {0}
