# Duewatch: `make run` starts it, `make test` checks it; both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
SEEDS ?= 200
COMPOSE ?= docker compose
BUILD_NETWORK ?= default

.DEFAULT_GOAL := help
.PHONY: help install run distributed demo test check bench bench-matching bench-lists servers contracts release lock image up down kafka-files test-deploy test-streams test-faults test-compose clean

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(STAMP) ## sets up .venv with everything locked

$(STAMP): requirements.lock pyproject.toml setup.py $(wildcard services/*/*/*.pyx services/*/*/*.pxd)
	@sh deploy/checks/prerequisites.sh $(PYTHON)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	@touch $(STAMP)

run: install ## starts the whole system on 127.0.0.1:8080, data in ./data
	exec $(BIN)/duewatch up

distributed: install ## the whole of it on Kafka and MongoDB, a process a service, data in build/distributed
	exec $(BIN)/python -m tests.infra.distributed

demo: install ## shows the circle on a running system
	$(BIN)/duewatch demo

test: install check ## all checks and tests; SEEDS=1000 for more seeds of the simulation
	$(BIN)/pytest -n 2 --seeds $(SEEDS)

check: install ## style, types, imports, file lengths, contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python deploy/checks/lengths.py
	$(BIN)/duewatch contracts check

bench: install ## benchmarks, one JSON object a line, also in build/bench.jsonl; RUNTIME=both for Kafka and MongoDB beside
	$(BIN)/python -m tests.bench $(if $(filter both,$(RUNTIME)),--kafka)

bench-matching: install build/peers/.done ## the matcher at a million suppliers, and what it finds beside its peers; also in build/matching.jsonl
	$(BIN)/python -m tests.bench.matching $(ARGS)

bench-lists: install ## how fast lists load and in how much memory; also in build/bench-lists.jsonl
	$(BIN)/python -m tests.bench.lists $(ARGS)

build/peers/.done: tests/bench/peers.lock
	$(PYTHON) -m venv build/peers
	build/peers/bin/python -m pip install --quiet --require-hashes -r tests/bench/peers.lock
	@touch build/peers/.done

servers: install ## Kafka and MongoDB on this machine for who tries things, until Ctrl-C
	exec $(BIN)/python -m tests.infra

contracts: install ## writes contracts/ anew
	$(BIN)/duewatch contracts write

release: install ## keeps the contracts as they are as the released ones, before a version is tagged
	$(BIN)/python deploy/checks/release.py

lock: ## pins the newest versions that pyproject.toml allows (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o requirements.lock
	printf "nomenklatura\nrapidfuzz\n" | uv pip compile - --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o tests/bench/peers.lock

	uv pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o deploy/requirements.lock

image: ## builds the image of all services, duewatch:latest (needs Docker)
	docker build --network $(BUILD_NETWORK) -f deploy/Dockerfile -t duewatch:latest .

up: ## starts Kafka, MongoDB and every service in Docker, on 127.0.0.1:8080; COMPOSE=docker-compose for the older command
	DUEWATCH_BUILD_NETWORK=$(BUILD_NETWORK) $(COMPOSE) up --build --detach
	@echo "The first token: $(COMPOSE) exec gateway cat /data/admin-token"

down: ## stops what `make up` started; the data stays, `$(COMPOSE) down --volumes` takes it away
	$(COMPOSE) down

kafka-files: install ## writes deploy/topics.yaml and deploy/acls.yaml anew
	$(BIN)/python deploy/checks/kafka_files.py

test-deploy: install ## helm lint, and the chart's manifests against Kubernetes' schemas; builds helm once, some minutes (needs Go)
	$(BIN)/pytest tests/deploy/test_helm.py tests/deploy/test_helm_copies.py

test-streams: install ## hot-spots counted by Faust, on a real broker, what takes long: workers killed and added
	$(BIN)/pytest tests/faults/test_hotspots_stream_long.py

test-faults: install ## all faults on real servers, a worker coming and going for a whole minute; figures also in build/faults.jsonl
	$(BIN)/pytest tests/faults/servers --churn 60

test-compose: install ## the compose file for real, with stand-ins for images where no registry is reached (needs Docker)
	$(BIN)/pytest -p no:randomly tests/deploy/test_compose.py tests/deploy/test_observability.py tests/deploy/test_testcontainers.py

clean: ## takes away what was built
	find services \( -name "*.so" -o -name "*.c" \) -delete
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
