# Two commands run everything on a fresh machine with Python 3.11: `make demo` and `make test`.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
DATA   ?=
TESTERS ?= 2
READY  := $(VENV)/.ready

.PHONY: help up down containers demo serve test test-all check audit format install clean bench bench-serve builtin desktop-app notebook

help:
	@echo 'make demo [DATA=folder]   check, split, train, evaluate, export and diagnose, start to finish'
	@echo 'make serve                the HTTP service and its web page on http://localhost:8000'
	@echo 'make test                 the tests; make test-all adds the slow ones; TESTERS=4 for four at once'
	@echo 'make check                lint, types, import contracts, known holes in what is installed'
	@echo 'make bench                every benchmark of the README'
	@echo 'make bench-serve PEERS=folder  the load study of leafsight serve (an hour); installs its peers there'
	@echo 'make desktop-app          the window as a program of its own, in dist/; SMALL=1 without two of its pages'
	@echo 'make up, make down        leafsight in containers on this machine (docs/containers.md)'
	@echo 'make containers           builds the images and tests them and compose.yaml on a real engine'
	@echo 'make notebook             run notebooks/leafsight.ipynb afresh and keep its outputs (ten minutes)'
	@echo 'make builtin PRETRAINED=  rebuild the model that ships; needs data/ and hours'

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

serve: install
	@$(BIN)/leafsight serve

test: install
	@$(BIN)/python -m pytest -n $(TESTERS) --dist loadgroup --max-worker-restart 0 -q -m 'not slow'

test-all: install
	@$(BIN)/python -m pytest -n $(TESTERS) --dist loadgroup --max-worker-restart 0 -q

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory audit

# Where no advisory source can be reached, pip-audit finds nothing and says that all is well: so it is first asked
# about a hole that everybody knows.
audit: install
	@printf 'pillow==9.0.0\n' > $(VENV)/known-hole.txt
	@if $(BIN)/pip-audit --progress-spinner off --no-deps --disable-pip -f json -r $(VENV)/known-hole.txt 2>/dev/null \
	  | grep -q '"id"'; then \
	  $(BIN)/pip-audit --progress-spinner off --strict --no-deps --disable-pip -r constraints.txt; \
	else echo 'SKIPPED: no advisory source answers (a hole that is known is not seen)'; fi

# An environment of its own, so that nothing which trains gets in (packaging/desktop/README.md).
desktop-app:
	@$(PYTHON) packaging/desktop/build.py $(if $(SMALL),--small)

# Formats that are not installed are named with their pip line in the outputs: the kept ones had all of them.
notebook: install
	@$(BIN)/python notebooks/build.py

# The images, the stand-ins and both set-ups of compose.yaml, on a real engine (docs/containers.md). Ten minutes to build,
# ten to test, on two cores; CLEAN=1 builds all of it anew.
containers: install
	@tests/containers/prepare
	@TEST_CONTAINERS=1 $(BIN)/python -m pytest -q -m containers tests/containers

# All of leafsight on this machine (docs/containers.md): make up, make down; COMPOSE=podman-compose, PROFILE=small.
COMPOSE ?= docker compose
PROFILE ?= full

up:
	@python3 deploy/compose/make_secrets.py
	@$(COMPOSE) --profile $(PROFILE) up --build --detach

down:
	@$(COMPOSE) --profile $(PROFILE) down

format: install
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: install
	@set -e; for b in decode predictor coldstart 'training head' 'training step'; do echo "== $$b"; \
	  set -- $$b; script=$$1; shift; OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/$$script.py "$$@"; done

bench-serve: install
	@test -x "$(PEERS)/bin/uvicorn" || $(BIN)/python -m benchmarks.serve.run --setup --venv "$(PEERS)"
	@$(BIN)/python -m benchmarks.serve.run --venv "$(PEERS)"

# The model that ships: five runs, each resumable, and two means of weights (docs/experiments.md, B2). About five hours.
COLLECTIONS := plantvillage field-bean field-blackgram field-chilli citrus-leaf
LICENSED     = $(COLLECTIONS:%=--data data/%) --no-export
AGAIN        = $(BIN)/leafsight train builtin-again $(LICENSED)
FINER        = $(AGAIN) --pretrained runs/mixed-wide/checkpoint/best.safetensors --cache runs/finer-data \
               --set data.cache_side_px=200 --set preprocessing.side_px=192 \
               --set stages.0.epochs=5 --set stages.0.learning_rate=0.0002
EXPORTED     = --set side_px=256 --set export.mirrored=true --set stress_rounds=2 --set calibration.familiarity_keep=0.95 \
               --set memory_beside=true
FIRST        = --pretrained runs/builtin/checkpoint/best.safetensors --cache runs/builtin/data

builtin: install
	@test -f "$(PRETRAINED)" || { echo 'error: no ImageNet weights'; \
	  echo 'hint: make builtin PRETRAINED=mobilenetv2_100_imagenet_fp16.safetensors'; exit 2; }
	$(BIN)/leafsight train builtin $(LICENSED) --out runs/builtin --pretrained "$(PRETRAINED)"
	$(AGAIN) $(FIRST) --out runs/mixed --set seed=1 \
	  --set mixing.mixup_probability=0.2 --set mixing.cutmix_probability=0.3
	$(AGAIN) $(FIRST) --out runs/wide --set seed=2 \
	  --set 'augmentation.geometry.crop_area=[0.1,1.0]' --set backgrounds.probability=0.75 \
	  --set augmentation.colour.hue_degrees=4 --set augmentation.colour.temperature=0.15
	$(BIN)/leafsight average runs/mixed runs/wide --out runs/mixed-wide --cache runs/builtin/data --force
	$(FINER) --out runs/finer-field --set seed=3
	$(FINER) --out runs/finer-plain --set seed=4 --set augmentation.preset=standard \
	  --set 'augmentation.geometry.crop_area=[0.35,1.0]' --set backgrounds.probability=0.4
	$(BIN)/leafsight average runs/finer-field runs/finer-plain --out runs/builtin-mean --cache runs/finer-data --force
	$(BIN)/leafsight export runs/builtin-mean --out src/leafsight/bundle/builtin/plant-leaves.leafsight \
	  --name plant-leaves --card docs/builtin-card.md --weights $(EXPORTED) --abroad data/field-apple

clean:
	rm -rf $(VENV) runs build dist .mypy_cache .ruff_cache .pytest_cache
