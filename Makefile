# `make run` and `make test` need nothing but Python 3.10 to 3.12; everything is installed into .venv.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
EXTRAS ?= test
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt
INSTALLED := $(VENV)/.installed-$(EXTRAS)
DEV_INSTALLED := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help run test lint install dev clean

help: ## show what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo "  PORT=8001 make run serves on another port; PYTEST_ARGS='-k vocabulary' make test runs a part."

run: $(INSTALLED) ## serve the demo study on http://127.0.0.1:8000
	$(BIN)/samantic demo --serve --host $(HOST) --port $(PORT)

test: $(INSTALLED) ## run the whole test suite
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(DEV_INSTALLED) ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(INSTALLED) ## make the virtual environment

dev: $(DEV_INSTALLED) ## make it with the developers' tools

clean: ## remove the virtual environment
	rm -rf $(VENV)

# A virtual environment made by other means is used as it is; only what is missing is installed.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' || \
		{ echo "Python 3.10, 3.11 or 3.12 is needed, but $(PYTHON) is another; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): setup.py constraints.txt | $(BIN)/python
	$(PIP_INSTALL) -e '.[$(EXTRAS)]'
	@touch $@

# With the sentence encoder, so that the tests of free text run too.
$(DEV_INSTALLED): setup.py constraints.txt | $(BIN)/python
	$(PIP_INSTALL) -e '.[dev,text]'
	@touch $@ $(INSTALLED)
