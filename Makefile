# make demo       evaluate the bundled digits network
# make test       run the whole test suite
# make lint       ruff and mypy
# make accuracy   measure every loss again, and write docs/reference/accuracy.md
# make costs      measure what every component costs an element, for lossfw show
# make speed      measure losses against torch, JAX and scikit-learn, for docs/explanation/speed.md
# make calibration  count the false stars of equally good models, for docs/explanation/trust.md
# make reference  describe components, claims, hooks and commands in docs/reference
# make rooms      draw what imports what, in docs/explanation/rooms.svg
# make right      draw the examples of docs/explanation/what-right-means.md
# make parity     train the objectives of libraries and our losses, and write docs/reference/bridges.md
# make checks     try to refute every component again, and write docs/reference/checks.json
# make site       build the documentation in site/, with a page for each component
# make release    build wheel, sdist and the site as an archive in dist/
# make curvature  train with each rule of curvature, and write docs/explanation/curvature.md
# make wild       check the losses of other libraries, and write docs/explanation/in-the-wild.md
# make clean      remove the environment
#
# Everything is installed in .venv on first use, and again when pyproject.toml changes.
# To use another folder: make test VENV=/tmp/venv. Another Python: make test PYTHON=python3.12.

PYTHON ?= python3
VENV ?= .venv
# The tests start hundreds of processes, which read what Python has compiled.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint accuracy costs speed curvature calibration reference rooms right parity checks site release wild clean
.DELETE_ON_ERROR:

demo: $(VENV)/.ready
	@$(BIN)/lossfw run configs/digits.yaml

test: $(VENV)/.ready-test
	@$(BIN)/pytest -n auto --dist worksteal

lint: $(VENV)/.ready-lint
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

# Torch, jax with optax, keras and scikit-learn are measured too, if they are installed there.
accuracy: $(VENV)/.ready-test
	@$(BIN)/python scripts/make_accuracy.py docs/reference/accuracy.md

# On a quiet machine, with OPENBLAS_CORETYPE unset.
costs: $(VENV)/.ready-test
	@$(BIN)/python tests/benchmarks/costs.py --write plugins/lossfw_std/costs.json

# Takes some minutes on a quiet machine, and compares with what is installed there.
speed: $(VENV)/.ready-test
	@$(BIN)/python tests/benchmarks/limits.py --write docs/explanation/speed.md
	@$(BIN)/python tests/benchmarks/losses.py --write docs/explanation/speed.md
	@$(BIN)/python tests/benchmarks/columns.py --write docs/explanation/speed.md

# Takes some fifteen minutes of one core.
calibration: $(VENV)/.ready-test
	@$(BIN)/python tests/benchmarks/calibration.py --write docs/explanation/trust.md

parity: $(VENV)/.ready-test
	@$(BIN)/python scripts/make_bridges.py docs/reference/bridges.md

reference: $(VENV)/.ready
	@$(BIN)/python scripts/make_reference.py docs/reference

rooms: $(VENV)/.ready-test
	@$(BIN)/python scripts/make_rooms.py docs/explanation/rooms.svg

right: $(VENV)/.ready-test
	@$(BIN)/python scripts/make_right.py docs/explanation/what-right-means.svg

checks: $(VENV)/.ready-test
	@$(BIN)/lossfw check --all --defaults --no-plugins --time 0 --strict --json-file docs/reference/checks.json

site: $(VENV)/.ready-docs
	@$(BIN)/lossfw site --no-plugins --docs docs --out site

release: $(VENV)/.ready-docs
	@$(PIP) install build
	@$(BIN)/python scripts/make_release.py dist

# Takes half an hour of one core, and goes on from what build/curvature.csv has.
curvature: $(VENV)/.ready-test
	@mkdir -p build
	@$(BIN)/python scripts/study_curvature.py build/curvature.csv
	@$(BIN)/python scripts/study_curvature.py build/curvature.csv --page docs/explanation/curvature.md

# Takes some minutes. Tries the same libraries and torchmetrics.
wild: $(VENV)/.ready-test
	@$(BIN)/python scripts/make_wild.py docs/explanation/in-the-wild.md

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "lossfw needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)."; \
	  echo "Name another one: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment: its venv or ensurepip module is missing."; \
	  echo "On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Making the environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.ready: $(VENV)/.made pyproject.toml
	@echo "Installing lossfw ..."
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.ready-test: $(VENV)/.made pyproject.toml
	@echo "Installing lossfw with what its tests need ..."
	@$(PIP) install --editable '.[test]'
	@touch $@ $(VENV)/.ready

$(VENV)/.ready-lint: $(VENV)/.made pyproject.toml
	@echo "Installing lossfw with its linters ..."
	@$(PIP) install --editable '.[test,lint]'
	@touch $@ $(VENV)/.ready $(VENV)/.ready-test

$(VENV)/.ready-touched: $(VENV)/.made pyproject.toml
	@echo "Installing lossfw with what .ci/touched needs ..."
	@$(PIP) install --editable '.[test,touched]'
	@touch $@ $(VENV)/.ready $(VENV)/.ready-test

$(VENV)/.ready-docs: $(VENV)/.made pyproject.toml
	@echo "Installing lossfw with what its site needs ..."
	@$(PIP) install --editable '.[docs]'
	@touch $@ $(VENV)/.ready

clean:
	rm -rf $(VENV)
