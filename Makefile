# The two commands of the README are `make app` and `make test`; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BIN := .venv/bin
UV := $(BIN)/uv
# The port of `make app`. Without it the first free one from 8501 on.
PORT ?=
# Further arguments for pytest, the benchmark or the compiler of the lock,
# e.g. `make quick ARGS="-k bill"` or `make lock ARGS=--upgrade`.
ARGS ?=
PYTEST := $(BIN)/python -m pytest
# One worker per core; the browser tests share one server and one browser instead.
OFFLINE := $(PYTEST) -n auto --dist worksteal -m "not browser"
BROWSER := $(PYTEST) -m browser

.PHONY: help app test setup lock fmt check quick fuzz browser golden docs bench peers accuracy screenshots ci chromium

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

app: .venv/.app ## set up and run the app, with the sandbox unless the environment names an account; PORT=9000
	@source .ci/account; $(BIN)/python serve.py $(if $(PORT),--server.port $(PORT)) $(ARGS)

test: setup chromium ## set up and run every test, the browser ones too
	$(OFFLINE) $(ARGS)
	$(BROWSER) $(ARGS)

setup: .venv/.dev ## make .venv with the program's packages and the developers' tools

# A stamp is newer than the locks it was installed from, so `make setup` does nothing twice.
.venv/.app: requirements.txt | $(UV)
	@.ci/install requirements.txt
	@touch $@

.venv/.dev: requirements.txt requirements-dev.txt | $(UV)
	@.ci/install requirements.txt requirements-dev.txt
	@touch .venv/.app $@

$(UV):
	@.ci/venv

lock: setup ## compile requirements*.in into requirements*.txt; ARGS=--upgrade takes newer releases
	@for name in requirements requirements-dev requirements-peers; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --custom-compile-command "make lock" --output-file "$$name.txt" $(ARGS) "$$name.in"; \
	done

fmt: setup ## format the code and apply the safe corrections
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format

check: setup ## style, types, import contracts, shell scripts, Dockerfile
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck .ci/*
	$(BIN)/hadolint Dockerfile

quick: setup ## every test but the browser ones, the laws on fewer examples: offline, some minutes
	LAW_EXAMPLES=60 $(OFFLINE) $(ARGS)

fuzz: setup ## 5,000 malformed documents through the commands, 5,000 malformed requests to the sandbox
	$(BIN)/python -m tests.fuzz_commands $(ARGS)
	$(BIN)/python -m tests.malformed_requests

browser: setup chromium ## the browser tests alone
	$(BROWSER) $(ARGS)

golden: setup ## rewrite the golden files; review the diff before you commit it
	$(PYTEST) tests/golden --rewrite $(ARGS)

docs: setup ## check that the documentation covers every setting, page and option
	$(PYTEST) tests/docs $(ARGS)

bench: setup ## print the performance numbers, beside those of other simulators
	@$(MAKE) --silent peers || echo "The other simulators can't be installed; their lines are left out"
	$(BIN)/python -m tests.bench $(ARGS)

peers: build/peers/.installed ## install the simulators that `make bench` compares with, into build/peers

build/peers/.installed: requirements-peers.txt | .venv/.dev
	@.ci/peers
	@touch $@

accuracy: setup peers ## hold the simulator to theory, measured cold starts and endpoints of the sandbox; writes docs/accuracy.md
	$(BIN)/python -m tests.accuracy $(ARGS)

screenshots: setup chromium ## render the pages into docs/images, light and dark, wide and narrow
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

ci: check test ## what the build server runs

chromium: setup
	@.ci/chromium
