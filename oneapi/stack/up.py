"""`oneapi up`: the whole gateway on this machine, in the foreground, until Ctrl-C.

It decides the order of the steps. What each step does is in the modules beside it.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from oneapi.runtime.environment import Environment
from oneapi.stack import backing, first_steps, generated, nats_server, report, service_plans
from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.machine import PROJECT, Machine
from oneapi.stack.management_api import ManagementApi
from oneapi.stack.ports import free_port, refusal
from oneapi.stack.problem import StackProblem
from oneapi.stack.settings import INTERNAL_PORTS, Settings
from oneapi.stack.supervisor import Supervisor

# Together within the 10 s that an end may take, with some room.
EDGE_END_S = 6.5
SERVICES_END_S = 1.5
SERVERS_END_S = 1.0


def say(sentence: str) -> None:
    """Prints at once. Nobody reading any more is no reason to end."""
    with contextlib.suppress(BrokenPipeError):
        print(sentence, flush=True)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Before anything runs, a signal simply ends what is being done, an installation for example."""
    raise KeyboardInterrupt


def up(environment: Mapping[str, str]) -> int:
    """Runs the stack; returns the exit code when it has ended. Raises SettingError and StackProblem."""
    begun = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    if environment.get("ONEAPI_PORT", "").strip() == "0":
        # Any port will do, as for every program that takes a 0.
        environment = {**environment, "ONEAPI_PORT": str(free_port(environment.get("ONEAPI_HOST") or "127.0.0.1"))}
    settings = Settings.read(Environment(environment))
    directory = DataDirectory(settings.data_dir)
    directory.claim()
    try:
        check_ports(settings)
        secrets = generated.load(directory, environment)
        machine = Machine(tools_folder(directory))
        found = backing.describe(settings, directory, machine, secrets.server_password)
        supervisor = Supervisor(say)
        supervisor.handle_signals()
        try:
            run(supervisor, settings, directory, secrets, found, environment, begun)
            say("Stopping.")
        finally:
            supervisor.stop()
    finally:
        directory.release()
    say("Stopped.")
    return 0


def run(
    supervisor: Supervisor,
    settings: Settings,
    directory: DataDirectory,
    secrets: generated.Secrets,
    found: backing.Backing,
    environment: Mapping[str, str],
    begun: float,
) -> None:
    """Starts everything, says how to use it, and looks after it until a signal."""
    if found.plans:
        supervisor.start((found.plans, SERVERS_END_S))
    if supervisor.stopping():
        return
    found = backing.finish(found, settings)
    ports = service_plans.internal_ports(settings)
    shared = service_plans.shared_environment(settings, directory, secrets, found.stores, ports)
    administrator = service_plans.administrator_environment(secrets, found.stores)
    each = service_plans.environments(environment, settings, shared, administrator, ports)
    edge, *others = service_plans.plans(settings, directory, ports, each)
    supervisor.start((others, SERVICES_END_S), ([edge], EDGE_END_S))
    if supervisor.stopping():
        return
    directory.write(directory.state_file, {"pid": os.getpid(), "environment": {**shared, **administrator}})
    api = ManagementApi(shared["ONEAPI_ADMIN_URL"], secrets.admin_token)
    first = first_steps.relay_key(api, directory)
    notes = first_steps.channels(api, directory, settings.provider_keys)
    first_steps.wait_until_usable(settings.local_url, found.stores.redis, first, supervisor.stopping)
    if supervisor.stopping():
        return
    say(report.table([*found.rows, *service_rows(settings, ports)]))
    nats_version = next(row.version for row in found.rows if row.name == "NATS")
    for note in filter(None, [nats_server.warning(nats_version), *notes]):
        say(note)
    say(f"Ready after {time.monotonic() - begun:.1f} s; data and logs are in {directory.path}.")
    curl = first_steps.curl_line(settings.local_url, first.key)
    say(report.welcome(settings.public_url, secrets.admin_token, first.key, curl))
    supervisor.watch()


def check_ports(settings: Settings) -> None:
    """Raises StackProblem when a port that the operator chose belongs to somebody else."""
    wanted = {"ONEAPI_PORT": (settings.host, settings.port)}
    for name, port in settings.internal_ports.items():
        wanted[INTERNAL_PORTS[name]] = (service_plans.LOOPBACK, port)
    for variable, (host, port) in wanted.items():
        why = refusal(host, port)
        if why:
            raise StackProblem(f"Port {port} on {host} {why}; set {variable} to another one.")


def service_rows(settings: Settings, ports: Mapping[str, int]) -> list[report.Used]:
    """The table's lines on the services."""
    python = sys.version.split()[0]
    return [
        report.Used(service, f"Python {python}", "this project", f"{settings.host}:{settings.port}")
        if service == "edge"
        else report.Used(service, f"Python {python}", "this project", f"{service_plans.LOOPBACK}:{ports[service]}")
        for service in service_plans.SERVICES
    ]


def tools_folder(directory: DataDirectory) -> Path:
    """Where unpacked programs go: the checkout's .tools; without a checkout, the data directory."""
    return PROJECT / ".tools" if (PROJECT / "pyproject.toml").exists() else directory.path / "tools"
