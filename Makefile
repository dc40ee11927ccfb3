# make run      a node at http://localhost:8080, on SQLite in ./data
# make dev      a node with demo data at http://localhost:8473, started again when a file changes
# make quick    tests for a minute, beginning with what was changed: SQLite, no browser, no servers by others
# make test     all tests, in parallel, with what they need
# make check    what continuous integration runs: format, lint, types, import direction, tests
# make bench    what things cost, as ratios
# make install  only the packages, in .venv
# make lock     new versions in the lock files

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CODE := node activitypub web media
COMPILE := --generate-hashes --strip-extras --no-annotate --no-header --no-emit-options \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --quiet --upgrade

# The packages that a dependency group asks for, one a line.
GROUP := $(PYTHON) -c "import sys, tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups'][sys.argv[1]], sep='\n')"

# Each worker of pytest-xdist has a database server and ports of its own; tests/support/parallel.py says the rest.
PARALLEL := -n logical --maxprocesses 4 --dist loadgroup
QUICK := --database sqlite --ignore tests/browser --ignore tests/kill --ignore tests/abuse --ignore tests/rules/test_wheel.py \
	--ignore federation_tests/peers --quick 40

.PHONY: run dev install quick test check lint bench lock

run: install
	@TINTYPE_SERVER_SCHEME=$${TINTYPE_SERVER_SCHEME:-http} exec $(BIN)/tintype serve

dev: $(VENV)/.tools
	@exec $(BIN)/watchfiles --verbosity warning --sigint-timeout 10 "$(BIN)/python docs/demo.py data/demo" $(CODE) templates docs

install: $(VENV)/.installed
	@true

$(VENV)/bin/python:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/need python3-venv
	@$(PYTHON) -m venv $(VENV)

# The stamp is older than its ingredients exactly when there is something to do.
$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the packages of requirements.lock into $(VENV)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@$(BIN)/python -m compileall -q $(CODE)
	@touch $@

$(VENV)/.tools: requirements-dev.lock $(VENV)/.installed
	@echo "Installing the packages of requirements-dev.lock into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

test: $(VENV)/.tools
	@.ci/need --for-tests
	@$(BIN)/python -m pytest $(PARALLEL)

quick: $(VENV)/.tools
	@$(BIN)/python -m pytest -q $(PARALLEL) --no-loadscope-reorder $(QUICK)

check: lint test

lint: $(VENV)/.tools
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff --quiet .; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.tools
	@$(BIN)/python -m tests.bench

# To be run with the oldest Python that is promised, since newer ones choose what it cannot install:
# on Debian 12, make lock PYTHON=/usr/bin/python3
lock: $(VENV)/.installed
	@$(PYTHON) -m venv .tools/lock
	@.tools/lock/bin/python -m pip install --quiet pip-tools
	@.tools/lock/bin/pip-compile $(COMPILE) --build-deps-for editable -o requirements.lock pyproject.toml
	@$(GROUP) dev | .tools/lock/bin/pip-compile $(COMPILE) -c requirements.lock -o requirements-dev.lock -
	@$(GROUP) peers | .tools/lock/bin/pip-compile $(COMPILE) -o requirements-peers.lock -
