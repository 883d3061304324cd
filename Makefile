# make run    opens the cockpit on a sandbox of its own (installs into .venv the first time)
# make test   runs every test; make check runs the linters, types and import contracts
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] < (3,15))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST_ARGS ?= -n auto --dist worksteal

.PHONY: help run venv test check bench lock pictures clean

help:
	@sed -n 's/^# //p' Makefile

run: $(VENV)/.run
	@$(BIN)/cockpit

venv: $(VENV)/.run

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.14 is needed: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The lock is complete (hence --no-deps) and every file in it is checked against its hash.
$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) (once, about half a minute) ..."
	@$(PIP) install --no-deps --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q cockpit widgets actions themes
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/.run
	@echo "installing what the tests need ..."
	@$(PIP) install --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

pictures: $(VENV)/.dev
	$(BIN)/python -m benchmarks.pictures

# A resolver of its own, so that the lock's tool is never in the product's environment.
lock: | $(BIN)/python
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv==0.13.9
	@for kind in run dev; do \
		test $$kind = dev && more="--extra dev --constraint requirements/run.txt" || more=""; \
		$(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
			--custom-compile-command "make lock" --override requirements/override.in --extra sandbox $$more \
			--output-file requirements/$$kind.txt pyproject.toml requirements/build.in || exit 1; done

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
