# Two commands run everything on a fresh machine with Python 3.11: `make demo` and `make test`.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
DATA   ?=
READY  := $(VENV)/.ready

.PHONY: help demo test test-all check format install clean bench

help:
	@echo 'make demo [DATA=folder]   check, split, train, evaluate, export and diagnose, start to finish'
	@echo 'make test                 the tests; make test-all adds the slow ones'
	@echo 'make check                lint, types, import contracts'
	@echo 'make bench                every benchmark of the README'

install: $(READY)

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not installed"; \
	  echo "hint: install Python 3.11 or newer, or say which: make demo PYTHON=python3.12"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'installing leafsight and its tools into $(VENV) (a minute or two the first time)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt 'torch==2.13.0'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install
	@$(BIN)/leafsight demo $(if $(DATA),"$(DATA)")

test: install
	@$(BIN)/python -m pytest -n 2 -q -m 'not slow'

test-all: install
	@$(BIN)/python -m pytest -n 2 -q

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: install
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: install
	@set -e; for b in decode predictor coldstart 'training head' 'training step'; do echo "== $$b"; \
	  set -- $$b; script=$$1; shift; OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/$$script.py "$$@"; done

# The five collections with a stated licence; see docs/experiments.md, B2, for what each step is for.
COLLECTIONS := plantvillage field-bean field-blackgram field-chilli citrus-leaf
AGAIN = $(BIN)/leafsight train builtin-again $(COLLECTIONS:%=--data data/%) --cache runs/builtin/data --no-export

clean:
	rm -rf $(VENV) runs build dist .mypy_cache .ruff_cache .pytest_cache
