# Needs Python 3.11 and make; everything else is installed into .venv on the first call.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

ifneq ($(wildcard ../shared/data),)
export ASKWELL_DATA ?= $(abspath ../shared/data)
endif

.PHONY: help run test lint docs pictures site fix bench kills
.DEFAULT_GOAL := help

help:
	@echo "make run    active learning on scikit-learn's digits: a learning curve against random"
	@echo "make test   lint, types, layers and tests"
	@echo "make lint   the first three of these"
	@echo "make docs   rewrites docs/commands.md and docs/parts.md from the code"
	@echo "make pictures  draws what each strategy picks for docs/strategies.md"
	@echo "make site   builds the documentation site in build/site"
	@echo "make fix    formats the code and mends what ruff can mend"
	@echo "make bench  the benchmark tables: kernels, whole runs, the store"
	@echo "make kills  kills runs and writers 50 times each, and shows that nothing was lost"

run: .venv/installed
	$(BIN)/askwell run digits --strategy margin --initial 20 --batch 20 --rounds 8 --seeds 5 --scheme "supervised(steps=150)"

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2

lint: .venv/developing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/developing
	$(BIN)/python docs/commands.py
	$(BIN)/python docs/parts.py

pictures: .venv/developing
	OMP_NUM_THREADS=1 $(BIN)/python docs/picks.py

site: .venv/developing
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

fix: .venv/developing
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/developing
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/rounds.py
	$(BIN)/python benchmarks/store.py

kills: .venv/developing
	$(BIN)/python benchmarks/kills.py --kills 50
	$(BIN)/python benchmarks/store_kills.py --kills 50

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "askwell needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(PIP) "torch==2.13.0"
	$(PIP) -e .
	touch $@

.venv/developing: .venv/installed
	$(PIP) -e ".[dev]"
	touch $@
