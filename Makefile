# Thin on purpose: every line can be typed by hand, and the README says how.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help quickstart test elsewhere wheel browser lowest lint bench clean

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

quickstart: $(INSTALLED)  ## Train on small digits, evaluate, sample: a minute after installation
	$(BIN)/pixelcnn quickstart

test: lint  ## Lint, types, tests and doctests
	$(BIN)/python -m pytest -n auto

EMPTY := build/empty
NUMERICS := tests/nn tests/likelihoods tests/walk tests/test_spec.py
READS_DATA := tests/data tests/config tests/runs tests/app/views tests/test_weights.py \
	tests/test_readme.py

elsewhere: $(INSTALLED)  ## Some tests without data or cache, and as on older processors
	mkdir -p $(EMPTY)
	env -u PIXELCNN_DATA -u PIXELCNN_CACHE HOME=$(CURDIR)/$(EMPTY) \
	    XDG_CACHE_HOME=$(CURDIR)/$(EMPTY) $(BIN)/python -m pytest -n auto $(READS_DATA)
	ATEN_CPU_CAPABILITY=avx2 $(BIN)/python -m pytest -n auto $(NUMERICS)
	ATEN_CPU_CAPABILITY=default $(BIN)/python -m pytest -n auto $(NUMERICS)

wheel: $(INSTALLED)  ## Build wheel and sdist, and try the wheel in a fresh environment
	$(BIN)/python -m pytest -m slow tests/test_wheel.py

browser: $(INSTALLED)  ## Test the web page in Chromium; skipped where that is not installed
	$(BIN)/python -m pytest -m slow -rs tests/app/test_browser.py || test $$? -eq 5  # 5: skipped

# Not CI: it installs another torch. Newer pyparsing warns of the oldest matplotlib.
lowest:  ## The tests with the lowest versions that pyproject.toml allows; needs uv
	uv venv --clear --python 3.10 $(VENV)/lowest
	uv pip install --python $(VENV)/lowest --resolution lowest-direct -e ".[dev]" "pyparsing~=3.2.0"
	$(VENV)/lowest/bin/python -m pytest -n auto

lint: $(INSTALLED)  ## Lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED)  ## Measure the speed of sampling and training into runs/bench
	$(BIN)/python -m benchmarks

clean:  ## Remove the environment and every cache; runs/ stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	    echo "pixelcnn needs Python 3.10 or newer. Name one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "Python's venv is missing. On Debian: sudo apt install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -c constraints.txt -e ".[dev]"
	touch $@
