# make install: .venv with the package, what the tests need, and the leadlight command.
# make demo:    the whole way on simulated ECGs, ending in demo/report.html.
# make test:    style, types, room order, tests. With LEADLIGHT_DATA set, on real recordings too.
# make help:    the rest.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: install demo test test-slow lint types docs benchmarks lock clean help

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

demo: install
	$(BIN)/python benchmarks/demo.py

test: install lint types
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-slow: install
	$(BIN)/python -m pytest -n auto --dist loadfile -m slow --timeout 3600

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: install
	$(BIN)/mypy

docs: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	$(BIN)/mkdocs build --strict

benchmarks: install
	@echo "One script a question; each prints its table and, with --out, keeps it:"
	@ls benchmarks/*.py

# Exact versions of everything that the tests ran with. Commit the result.
lock: install
	$(BIN)/python -m pip freeze --exclude-editable --exclude pip --exclude setuptools \
	  | sed 's/+cpu$$//' > constraints.txt

clean:
	rm -rf $(VENV) demo site build dist .pytest_cache .mypy_cache .ruff_cache

help:
	@grep -E '^[a-z-]+:' Makefile | cut -d: -f1
