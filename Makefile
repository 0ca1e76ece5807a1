# The front door. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HEADRACE_HOME ?= .headrace
# Many tests wait for something most of their time. Each worker has a Kafka and a Postgres of its own.
TEST_WORKERS ?= 2
# A worker computes on one thread: more would wait for each other, spinning.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(TEST_WORKERS) --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup api run lint format test test-unit test-contract test-integration test-e2e \
	test-long k8s-check dashboards release-protos bench bench-freshness bench-serving bench-ingest \
	screens boards report report-full lock clean

help: ## List the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

setup: $(VENV)/ready ## Install everything into .venv and generate headrace/api

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headrace needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@echo "Installing into $(VENV) (a few GB, torch among it) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "uv>=0.8"
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --require-hashes requirements.lock
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --no-deps --no-build-isolation --editable .
	@touch $@

# Files appear only once they are whole, so an interrupted run starts over.
headrace/api/__init__.py: $(VENV)/ready $(shell find protos -name '*.proto') protos/generate.py
	@$(BIN)/python protos/generate.py
	@touch $@

api: headrace/api/__init__.py ## Generate headrace/api from protos/

run: api ## Start Kafka, Postgres and the five services on real data; Ctrl-C stops
	@HEADRACE_HOME=$(HEADRACE_HOME) exec $(BIN)/python -m headrace.local.run

lint: api ## Formatting, lint, types, import rules, protos and what they break, generated code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd protos && ../$(BIN)/buf lint && ../$(BIN)/buf breaking --against released.binpb
	@$(BIN)/python protos/generate.py --check

format: api ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# One session for all: each worker makes Kafka, Postgres and the toy model once.
test: lint ## Lint, then every test on real Kafka and Postgres
	$(PYTEST) tests/unit tests/contract tests/integration tests/e2e

test-unit: api ## Tests without any process
	$(PYTEST) tests/unit

test-contract: api ## One suite for every implementation of an interface
	$(PYTEST) tests/contract

test-integration: api ## Tests of each part on real Kafka and Postgres
	$(PYTEST) tests/integration

test-e2e: api ## The whole system, used as its users do, and faults
	$(PYTEST) tests/e2e

test-long: api ## What takes minutes: every service rolled under load, a canary that crashes
	OMP_NUM_THREADS=1 $(BIN)/pytest -m long tests

release-protos: $(VENV)/ready ## Take the present protos as those that later ones must not break
	cd protos && ../$(BIN)/buf build --exclude-source-info --output released.binpb

k8s-check: api ## Build every overlay; check each object against schemas (of operators: CRDS=folder), policies, settings
	$(PYTEST) -q tests/integration/deploy/test_schemas.py tests/integration/deploy/test_policies.py \
		tests/integration/deploy/test_settings.py tests/integration/deploy/test_training.py tests/integration/deploy/test_training_team.py \
		tests/integration/deploy/test_capacity.py
	$(if $(CRDS),HEADRACE_CRDS=$(CRDS) $(BIN)/pytest -q tests/integration/deploy/with_operators.py)

dashboards: api ## Write Grafana's dashboards from deploy/grafana
	$(BIN)/python -m deploy.grafana.build

bench: bench-freshness bench-serving bench-ingest ## All measurements, one after the other

bench-freshness: api ## Click accepted to list changed, by stage
	$(BIN)/python -m bench.freshness

bench-serving: api ## Recommendations at 1, 8 and 32 in flight
	$(BIN)/python -m bench.serving

bench-ingest: api ## Events a second through the whole pipeline
	$(BIN)/python -m bench.ingest

screens: api ## Take every page of the shop and the console, on the demo, to docs/screens/
	@HEADRACE_HOME=$(HEADRACE_HOME) $(BIN)/python -m bench.screens

boards: api ## Take every dashboard, on the demo with a crowd and a release, to docs/dashboards/ (7 minutes)
	@HEADRACE_HOME=$(HEADRACE_HOME) $(BIN)/python -m bench.boards

report: api ## The demo's model beside classic recommenders on MovieLens-100K, to reports/ (10 minutes)
	@HEADRACE_HOME=$(HEADRACE_HOME) $(BIN)/python -m bench.quality --out reports/ml-100k

report-full: api ## The same on MovieLens-1M, and cold items on CiteULike-a, from DATA=folder (hours, resumable)
	@$(if $(DATA),,$(error DATA= names the folder that holds ml-1m and citeulike-a))$(BIN)/python -m bench.quality_full --data $(DATA)

lock: $(VENV)/ready ## Pin the newest versions that fit pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --upgrade --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --python-version 3.11 --quiet --output-file requirements.lock >/dev/null

clean: ## Remove the data of `make run`: Kafka, Postgres, the trained model, logs
	rm -rf $(HEADRACE_HOME)
