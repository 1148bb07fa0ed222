# Weir: everything a person or a machine runs goes through here. A fresh Linux machine needs Python 3.11 and make.
# What is installed stands in locks/python.lock with its hashes; nothing is written outside this folder and the caches of
# pip, uv and Weir (~/.cache).

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := locks/python.lock
PYTEST := $(BIN)/python -m pytest
BENCHMARKS = $(patsubst tests/bench/bench_%.py,%,$(wildcard tests/bench/bench_*.py))

# uv trusts the certificates this machine trusts, as pip does. Without a home that can be written to, neither keeps a cache.
export UV_SYSTEM_CERTS := 1
ifneq ($(shell test -w "$$HOME" && echo writable),writable)
export UV_NO_CACHE := 1
export PIP_NO_CACHE_DIR := 1
endif
UV_INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --compile-bytecode
UV_COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 --python-platform linux --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --use-pep517

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test unit it e2e lint format bench faults up down lock bundle install clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP) ## Run the whole system once and show it: make demo ARGS="--rows 20000 --keep"
	@$(BIN)/weir demo $(ARGS)

test: unit it e2e ## Run all tests: unit, doctests, MiniCluster, whole stack (18 to 40 minutes on two cores)

unit: $(STAMP) ## Run unit tests and doctests: no JVM, no network (ARGS="-k name")
	@$(PYTEST) -n 3 $(ARGS)

it: $(STAMP) ## Run integration tests: the job on Flink's MiniCluster, connectors against their servers
	@$(PYTEST) tests/integration $(ARGS)

e2e: $(STAMP) ## Run end-to-end tests on the whole local stack
	@$(PYTEST) tests/e2e $(ARGS)

lint: $(STAMP) ## Check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP) ## Mend what the linters can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## Measure into build/bench: make bench ONLY=job; the names are in docs/benchmarks.md
	@for name in $(or $(ONLY),$(BENCHMARKS)); do $(BIN)/python -m tests.bench.bench_$$name $(ARGS) || exit; done

faults: $(STAMP) ## Break everything under load and compare sums: make faults MINUTES=40 (ARGS="--hours 8": a soak)
	@$(BIN)/python -m tests.faults --minutes $(or $(MINUTES),40) $(ARGS)

up: $(STAMP) ## Start the local stack
	@$(BIN)/weir up $(ARGS)

down: $(STAMP) ## Stop the local stack; ARGS=--purge removes its data
	@$(BIN)/weir down $(ARGS)

bundle: $(STAMP) ## Pack what TaskManagers import into dist/weir-bundle.zip and print its build id
	@$(BIN)/python -m jobs.bundle dist/weir-bundle.zip

lock: $(STAMP) ## Write all locks again; Python packages keep their versions unless ARGS=--upgrade
	@$(UV_COMPILE) pyproject.toml --extra dev --extra ray --output-file $(LOCK) $(ARGS)
	@$(UV_COMPILE) docker/flink-packages.txt --constraint $(LOCK) --output-file locks/flink.lock --upgrade
	@$(BIN)/python -m connectors.local.lock_jars

install: $(STAMP) ## Make .venv from the lock; every other target does so itself

clean: ## Remove what was built and the caches of tools; keeps .venv, the stack's data and downloads
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -path ./$(VENV) -prune -o -path ./.weir -prune -o -type d -name __pycache__ -exec rm -rf {} +

# Python 3.11 is searched by asking each candidate. pip takes uv and setuptools from the lock; uv installs the rest in
# seconds. Where uv cannot (no binary for the machine, an index only pip is configured for) pip does the same from the same
# hashes. Nothing is built in isolation, for that would fetch build tools the lock does not know.
$(STAMP): $(LOCK) pyproject.toml
	@python=; for name in python3.11 python3 python; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Weir needs Python 3.11; none of python3.11, python3 and python is one. Install it, with its venv module." >&2; \
	  exit 2; \
	fi; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $$python -m venv --clear $(VENV) || { \
	  echo "$$python could not make $(VENV) (see above). On Debian and Ubuntu: install python3.11-venv." >&2; exit 2; }
	@echo "Installing $$(grep -c '==' $(LOCK)) locked packages into $(VENV)" >&2
	@sed -n -E '/^(setuptools|uv)==/,/[^\\]$$/p' $(LOCK) > $(VENV)/bootstrap.lock
	@$(PIP_INSTALL) --require-hashes -r $(VENV)/bootstrap.lock \
	  && $(UV_INSTALL) --require-hashes -r $(LOCK) \
	  || { echo "uv could not; installing with pip, which takes longer" >&2; \
	       $(PIP_INSTALL) --require-hashes -r $(LOCK); } \
	  || { echo "The packages of $(LOCK) could not be installed (see above). Is the package index reachable?" >&2; exit 2; }
	@$(PIP_INSTALL) --editable .
	@touch $@
