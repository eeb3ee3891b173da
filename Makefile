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

# A smaller network (an eighth of the filters) and ten epochs: minutes, not hours.
DEMO_RECORDS := 800
DEMO_EXAMPLES := demo/ecg/records100/00000/00016_lr demo/ecg/records100/00000/00182_lr

demo: install
	rm -rf demo
	@echo "1/6 simulating $(DEMO_RECORDS) twelve-lead ECGs"
	$(BIN)/leadlight simulate demo/ecg --records $(DEMO_RECORDS) --seed 1 --workers 2
	@echo "2/6 preparing them for training"
	$(BIN)/leadlight prepare ptb-xl demo/ecg --sampling-rate 100 --out demo/store
	@echo "3/6 training a small IMLE-Net"
	$(BIN)/leadlight train imle-net --data demo/store --out demo/run --recipe quick --set arguments.filters=4
	@echo "4/6 measuring it on fold 10, which it has not seen"
	$(BIN)/leadlight evaluate demo/run --fold 10
	@echo "5/6 explaining two recordings of fold 10"
	$(BIN)/leadlight explain demo/run $(word 1,$(DEMO_EXAMPLES)) --out demo/explained-1.pdf
	$(BIN)/leadlight explain demo/run $(word 2,$(DEMO_EXAMPLES)) --out demo/explained-2.pdf
	@echo "6/6 writing the report"
	$(BIN)/leadlight report demo/run $(DEMO_EXAMPLES) --out demo/report.html
	@echo
	@echo "Made: demo/ecg (simulated data set), demo/store (prepared), demo/run (the trained model and its"
	@echo "measurements), demo/explained-1.pdf and -2.pdf (to scale on ECG paper), demo/report.html (open it)."
	@echo "Try next:"
	@echo "  $(BIN)/leadlight plot $(word 1,$(DEMO_EXAMPLES)) --layout 12x1 --out demo/tracing.pdf"
	@echo "  $(BIN)/leadlight predict demo/run demo/ecg/records100 --out demo/findings.csv"
	@echo "  $(BIN)/leadlight predict imle-net-ptbxl-superclass demo/ecg/records100 --out demo/findings.csv"
	@echo "  $(BIN)/leadlight --help"

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
