# Everything that a contributor runs. Each target sets up .venv first, from the hashed locks; nothing needs installing
# by hand. `make help` lists the targets.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))) python3)
BIN := .venv/bin
GENERATED := '*_pb2*.py' '*_pb2*.pyi'
PROTOC := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -I.
PROTOS = $(wildcard proto/*/v1/*.proto)
PYTEST ?= $(BIN)/python -m pytest
# Two at a time; a file's tests stay together, so that each file's servers and stacks are started once. A process that
# dies is replaced, once.
PARALLEL ?= -n 2 --max-worker-restart 1 --dist loadfile

# Tests start the services a hundred times; without their bytecode each start compiles them anew.
test test-all test-replicas check unit: export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-clients test-browser test-replicas test-faults test-holes test-fuzz test-image test-containers audit sbom bench bench-peers bench-ablation bench-overload bench-slow bench-auth soak check format static unit docs proto proto-check lock venv-run venv-test

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

run: venv-run ## set up and run the whole gateway here until Ctrl-C
	@exec $(BIN)/oneapi up

test: venv-test static ## every test that fits in half an hour on two cores
	@$(PYTEST) $(PARALLEL) --ignore=tests/replicas --ignore=tests/faults/test_short_run.py
	@$(MAKE) --no-print-directory test-replicas

test-all: test test-clients test-browser test-faults test-holes test-fuzz test-image test-containers ## that, and the long ones

# A dozen processes each, and nothing beside them.
test-replicas: venv-test ## of these: several replicas of each service, and parts that are gone; a short run under faults
	@$(PYTEST) -q tests/replicas tests/faults/test_short_run.py

# CLIENTS="Codex pydantic": those whose names contain one of these. Installed under .clients/, from their own locks.
test-clients: venv-test ## SDKs, agent libraries, Claude Code and Codex against every upstream format; needs npm
	@$(BIN)/python -m tests.clients $(CLIENTS)

test-browser: venv-test ## the public pages in Chromium: accessible, valid, usable by keyboard; writes build/screenshots
	@$(BIN)/python -m tests.browser

# Every directed fault and crash point, a bus of three nodes, every planted bug, then random faults from three seeds.
# SEED=n: that seed and no more.
SEEDS ?= $(or $(SEED),1 2 3)
FAULT_REQUESTS ?= 10000
FAULT_COUNT ?= 40

test-faults: venv-test ## everything killed, suspended, cut off under load, and the ledger checked; SEED=n repeats a run
	@$(if $(SEED),true,$(PYTEST) tests/faults/directed.py tests/faults/crash_points.py tests/faults/clustered_bus.py)
	@$(if $(SEED),true,$(BIN)/python -m tests.faults.mutants)
	@set -e; for seed in $(SEEDS); do \
		$(BIN)/python -m tests.faults.run --seed $$seed --requests $(FAULT_REQUESTS) --faults $(FAULT_COUNT); done

test-holes: venv-test ## each mechanism against attacks taken out of a copy: its rows of the attack table must fail
	@$(BIN)/python -m tests.security.mutants $(HOLES)

# Each sets itself a limit of half an hour.
test-image: venv-test ## build the image and run the five services from it; needs Docker, or root
	@$(PYTEST) -q -s -o faulthandler_timeout=0 tests/image/checks.py

test-containers: venv-test ## integration tests with their stores in containers; needs root
	@$(BIN)/python -m tests.image.store_images

bench: venv-test ## the benchmarks; writes .bench/latest.json
	@$(BIN)/python -m tests.bench.bench

bench-peers: venv-test ## other gateways beside ours, installed under .bench/; writes .bench/peers.json
	@$(BIN)/python -m tests.bench.peers

bench-ablation: venv-test ## what each duty of the edge costs; writes .bench/ablation.json
	@$(BIN)/python -m tests.bench.ablation

bench-overload: venv-test ## one edge under twice its load: what it still answers, and how it refuses
	@$(BIN)/python -m tests.bench.overload

bench-auth: venv-test ## what a bad key costs, by its kind; writes .bench/authentication.json
	@$(BIN)/python -m tests.bench.authentication

# SEED=n and CASES=n repeat a run; inputs that fail are kept in .fuzz/.
test-fuzz: venv-test ## 200,000 generated and broken inputs: parsers in process, the whole gateway over HTTP
	@$(BIN)/python -m tests.fuzz.run $(or $(CASES),200000) $(if $(SEED),--seed $(SEED))

audit: venv-test ## are there known vulnerabilities in what the locks pin? Asks the package index
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		$(foreach lock,$(wildcard requirements*.lock tests/clients/python/*.lock),-r $(lock))

SBOM ?= build/sbom.cdx.json

sbom: venv-test ## what the image is made of, as CycloneDX: every pinned package with its hashes
	@mkdir -p $(dir $(SBOM))
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
		--mc-type application --spec-version 1.6 --output-reproducible --of JSON -o $(SBOM)

bench-slow: venv-test ## good requests beside 5,000 connections that send byte by byte; writes .bench/slow.json
	@$(BIN)/python -m tests.bench.slow_connections

soak: venv-test ## half of one edge's load for MINUTES (20); what it keeps of memory and descriptors
	@$(BIN)/python -m tests.bench.soak $(MINUTES)

check: venv-test static unit ## format, lint, types, import contracts, generated code, unit tests: no servers

unit: venv-test ## the tests that touch no network
	@$(PYTEST) -q $(PARALLEL) tests/unit tests/architecture

static: venv-test proto-check
	@$(BIN)/ruff format --check -q . || { echo 'Not formatted; run: make format'; exit 1; }
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy -n auto
	@$(BIN)/lint-imports

format: venv-test ## format the sources and fix what ruff can fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: venv-test ## write the documents that are made from the code
	@$(BIN)/python -m tests.documents.providers
	@$(BIN)/python -m tests.documents.conversion

proto: venv-test ## generate the Python of proto/ again
	@$(PROTOC) --python_out=. --pyi_out=. --grpc_python_out=. --mypy_grpc_out=quiet:. $(PROTOS)

proto-check: venv-test
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
	$(PROTOC) --python_out="$$fresh" --pyi_out="$$fresh" --grpc_python_out="$$fresh" --mypy_grpc_out=quiet:"$$fresh" \
		$(PROTOS) && \
	diff -rq -x '*.proto' -x __init__.py -x __pycache__ proto "$$fresh/proto" || \
	{ echo 'The generated Python is not what proto/ says; run: make proto'; exit 1; }

lock: venv-run ## compute the locks from pyproject.toml anew
	@set -e; compile='$(BIN)/uv pip compile --generate-hashes --python-version 3.11 --no-annotate --no-header -q'; \
	$$compile pyproject.toml --group stack --group dev -o requirements-dev.lock; \
	$$compile pyproject.toml -c requirements-dev.lock -o requirements.lock; \
	$$compile tests/clients/python/requirements.in -o tests/clients/python/requirements.lock; \
	$$compile --no-deps --group stack -c requirements-dev.lock -o requirements-stack.lock; \
	printf 'setuptools\nuv\n' | $$compile - -c requirements-dev.lock -o requirements-build.lock

venv-run:
	@$(PYTHON) -I oneapi/stack/bootstrap.py run

venv-test:
	@$(PYTHON) -I oneapi/stack/bootstrap.py test
