# Two commands: `make lab` opens the course, `make test` checks everything. Each does all of its own set-up.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)
PIP    := $(if $(UV),VIRTUAL_ENV=$(VENV) uv pip,$(BIN)/python -m pip)

export TF_CPP_MIN_LOG_LEVEL := 3

.PHONY: lab test test-lowest bench notebooks check

lab: $(VENV)/.lab
	$(BIN)/hpt-lab lab $(LAB_ARGS)

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile $(TEST_ARGS)
	$(BIN)/python tests/solutions.py build/lessons
	PYTHONPATH=tests/offline $(BIN)/python -m pytest -n 2 --dist loadfile \
		--nbval-lax --nbval-current-env --nbval-cell-timeout=240 build/lessons

# The lowest versions that pyproject.toml declares, on Python 3.11.
test-lowest:
	uv venv --quiet --clear --python 3.11 build/lowest
	VIRTUAL_ENV=build/lowest uv pip install --quiet --resolution lowest-direct -e ".[test]"
	build/lowest/bin/python -m pytest -n 2 --dist loadfile

bench: $(VENV)/.bench
	$(BIN)/python -m tests.benchmarks

notebooks: $(VENV)/.test
	$(BIN)/python tests/notebooks.py

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check hpt_lab tests
	$(BIN)/mypy hpt_lab

# One stamp per extra; it is older than pyproject.toml when the dependencies have changed.
$(VENV)/.%: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet -e ".[$*]"
	touch $@

$(BIN)/python:
	$(if $(UV),uv venv --quiet --python $(PYTHON),$(PYTHON) -m venv) $(VENV)
