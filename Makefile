# Everything a fresh machine needs: `make demo` to see it work, `make test` to check it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := -q --disable-pip-version-check
# MediaPipe brings its own OpenCV, so the client that opens our files lives in its own place.
MEDIAPIPE := .venv-mediapipe
WORKERS ?= auto

.PHONY: help test check lint types imports docs docs-serve unit format demo base figures clean

help:
	@echo "make demo    set up, then convert, compare and classify, offline"
	@echo "make test    set up, then lint, types, import rules, documentation, packages and all tests"
	@echo "make check   lint, types, import rules and documentation only"
	@echo "make format  put the code into its format"
	@echo "make docs    build the documentation as a site in build/site"
	@echo "make base    build the wheel edge-effnet-lite0 (the network that teach begins with) in build/lite0"
	@echo "make figures rerun the figures that the documents state, and print stated against found"
	@echo "make clean   remove what the other targets made"

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "edge-effnet needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(MEDIAPIPE)/.installed: Makefile
	$(PYTHON) -m venv $(MEDIAPIPE)
	$(MEDIAPIPE)/bin/python -m pip install $(PIP) mediapipe==1.2.2
	@touch $@

test: check unit

check: lint types imports docs

lint: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed
	$(BIN)/mypy

imports: $(VENV)/.installed
	$(BIN)/lint-imports

# Material for MkDocs announces its successor in every run.
docs: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs-serve: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

unit: $(VENV)/.installed $(MEDIAPIPE)/.installed
	EDGE_EFFNET_MEDIAPIPE_PYTHON="$(CURDIR)/$(MEDIAPIPE)/bin/python" \
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

format: $(VENV)/.installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

demo: $(VENV)/.installed
	$(BIN)/edge-effnet demo --out out/demo --force

base: $(VENV)/.installed
	$(BIN)/python packages/edge-effnet-lite0/make_wheel.py build/lite0

figures: $(VENV)/.installed
	$(BIN)/python -m benchmarks.studies.readme_figures $(ARGS)

clean:
	rm -rf $(VENV) $(MEDIAPIPE) build dist out .pytest_cache .mypy_cache .ruff_cache
