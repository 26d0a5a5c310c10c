"""LiteLLM's proxy: one worker, a master key, no database.

Its virtual keys, budgets and spend logs need PostgreSQL and a program that its installation downloads from elsewhere,
so they are off: the favourable case for LiteLLM.
"""

import json
import secrets
import sys
from pathlib import Path

from tests.bench.bench import MODELS
from tests.bench.peers.peer import Peer, Process, install, launch
from tests.bench.programs import Target
from tests.e2e.gateway import ROOT
from tests.ports import free_port

HERE = Path(__file__).parent
SETTINGS = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "NO_DOCS": "True",
}


def start(mock: int, folder: Path) -> tuple[Process, Target]:
    """The proxy, with one deployment of each model at the mock."""
    uv = str(ROOT / ".venv/bin/uv")
    sync = [uv, "pip", "sync", "--require-hashes", "--python", "bin/python", "litellm.lock"]
    place = install("litellm", [HERE / "litellm.lock"], [[sys.executable, "-m", "venv", "--without-pip", "."], sync])
    key, port = f"sk-{secrets.token_hex(16)}", free_port()
    config = folder / "litellm.yaml"
    # JSON is YAML.
    config.write_text(
        json.dumps(
            {
                "model_list": [
                    {
                        "model_name": model,
                        "litellm_params": {
                            "model": f"openai/{model}",
                            "api_base": f"http://127.0.0.1:{mock}/v1",
                            "api_key": "mock",
                            "input_cost_per_token": 2e-6,
                            "output_cost_per_token": 8e-6,
                        },
                    }
                    for model in MODELS
                ],
                "general_settings": {"master_key": key},
                "litellm_settings": {"telemetry": False},
            }
        )
    )
    command = [str(place / "bin/litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    target = Target("litellm", port, 0, key)
    return launch([*command, "--num_workers", "1"], SETTINGS, target, folder / "litellm.log")


LITELLM = Peer(
    "litellm",
    (HERE / "litellm.in").read_text().strip().rpartition("==")[2],
    {
        "authentication": "one master key",
        "budget": "none",
        "reservation": "none",
        "usage event": "none; the cost is computed and dropped",
        "spend log": "none",
        "database": "none",
    },
    start,
)
