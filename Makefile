# Everything a person types: `make demo` first, `make help` for the rest.
# Python is installed into .venv once, from exact pins, and again only when a list of them changes.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo up test lint bench browser postgres clean

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -c constraints.txt
PINS := pyproject.toml constraints.txt
RUN_STAMP := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test
ORACLE := pytesmo
# Alone: only its metrics are compared with, and what it asks for besides (numba ...) is large.
TORCH := $(shell sed -n 's/^torch==/torch==/p' constraints.txt)

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

demo: $(RUN_STAMP) ## install, then make the first maps from the embedded archive
	@$(BIN)/sm-platform demo

up: $(RUN_STAMP) ## the user interface and its daemon
	@$(BIN)/sm-platform up

test: $(TEST_STAMP) browser postgres ## the whole test suite
	@$(BIN)/python -m pytest -rs -n 2 --dist loadfile

lint: $(TEST_STAMP) ## style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(RUN_STAMP) ## ratios against plain references: make bench [ONLY=name]
	@$(BIN)/python -m benchmarks $(ONLY)

browser: ## Chromium for the browser tests, where this user may install it
	@.ci/browser

postgres: ## PostgreSQL for the tests of a deployment, where this user may install it
	@.ci/postgres

clean: ## caches of the tools; never data, models or the installation
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@echo "Making $(VENV) (once)"
	@python=$$(.ci/python) && "$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_STAMP): $(PINS) | $(BIN)/python
	@echo "Installing sm_platform into $(VENV) (minutes, once)"
	@$(PIP_INSTALL) $(TORCH)
	@$(PIP_INSTALL) -e .
	@touch $@

$(TEST_STAMP): $(PINS) | $(BIN)/python
	@echo "Installing sm_platform and its test tools into $(VENV) (minutes, once)"
	@$(PIP_INSTALL) $(TORCH)
	@$(PIP_INSTALL) -e '.[test,postgres]'
	@$(PIP_INSTALL) --no-deps $(ORACLE)
	@touch $(RUN_STAMP) $@
