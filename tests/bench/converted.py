"""Streams whose client and upstream speak different formats: CPU of the edge per chunk beside nginx, and how much later
the first token comes than to the same client in a stream that passes through.

`python -m tests.bench.converted` measures these alone.
"""

import contextlib
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.bench import rounds
from tests.bench.programs import Target, build, start_mock, start_nginx, wait_for

_SHORT = {"openai_chat": "chat", "openai_responses": "responses", "anthropic_messages": "messages"}


def measure(
    edge: Target, nginx: Target, models: Mapping[str, str], paced: Mapping[str, str], turns: int
) -> dict[str, float]:
    """For each pair the median of the ratios and differences that were taken inside a round.

    nginx passes on what the upstream of the pair sends. A pair of the same format is one that passes through. The first
    tokens are those of the `paced` models, whose streams are so short that each ends before the next begins.
    """
    found: dict[str, list[float]] = {}
    for _ in range(turns):
        for upstream, model in models.items():
            base = rounds.chunk_cpu(nginx, upstream, model)["cpu_us_per_chunk"]
            for client in models:
                name = f"{_SHORT[client]}_from_{_SHORT[upstream]}"
                cost = rounds.chunk_cpu(edge, client, model)["cpu_us_per_chunk"]
                found.setdefault(f"cpu_per_chunk_vs_nginx_{name}", []).append(cost / base)
                found.setdefault(f"cpu_us_per_chunk_{name}", []).append(cost)
        for client, straight in paced.items():
            first_ms = rounds.first_tokens(edge, client, list(paced.values()))
            for upstream in paced.keys() - {client}:
                name = f"first_token_ms_later_{_SHORT[client]}_from_{_SHORT[upstream]}"
                found.setdefault(name, []).append(first_ms[paced[upstream]] - first_ms[straight])
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    from tests.bench.bench import CONVERTED_MODELS, PACED_MODELS, ROUNDS, start_gateway  # it calls this module

    build("loadgen")
    with contextlib.ExitStack() as clean_up:
        folder = Path(clean_up.enter_context(tempfile.TemporaryDirectory(prefix="oneapi-bench-")))
        mock_process, mock = start_mock()
        clean_up.callback(mock_process.kill)
        nginx_process, nginx = start_nginx(mock, folder)
        clean_up.callback(nginx_process.kill)
        _, edge = start_gateway(folder, mock, clean_up)
        for target in (nginx, edge):
            wait_for(target)
            rounds.chunk_cpu(target)  # warm, discarded
        for name, value in measure(edge, nginx, CONVERTED_MODELS, PACED_MODELS, ROUNDS).items():
            print(f"{name:56} {value:>8.2f}")


if __name__ == "__main__":
    main()
