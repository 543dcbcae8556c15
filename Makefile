# `make run` judges three recorded releases; `make test` passes all tests, lint, types, contracts.
# Both set up their own virtual environment and need nothing but python3 (3.11+), pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test interop lint audit pages lock wheel clean

run: $(VENV)/run.stamp
	@GATE_LEDGER=.gate/demo.db $(BIN)/gate demo

test: lint
	$(BIN)/pytest -n auto --dist loadgroup

# Argo Rollouts' and Flagger's own code asks a running gate, and nektos/act runs the action: needs
# Go, and its modules.
interop: $(VENV)/dev.stamp
	$(BIN)/pytest -m interop tests/interop

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd action && ../$(BIN)/mypy --config-file ../pyproject.toml *.py
	$(BIN)/lint-imports

# Offline, or where the advisories cannot be reached, it says so and passes.
audit: $(VENV)/run.stamp
	-@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt pip-audit
	@$(BIN)/python .ci/audit.py

pages: $(VENV)/run.stamp
	$(BIN)/gate policy facts --format markdown > docs/facts.md
	$(BIN)/gate policy schema > schemas/policy.schema.json

lock: $(VENV)/dev.stamp
	$(BIN)/uv pip compile pyproject.toml --constraints constraints.txt --universal --generate-hashes \
	  --python-version 3.11 --custom-compile-command "make lock" --quiet -o action/requirements.txt

wheel: $(VENV)/dev.stamp
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) dist build .gate

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gate needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp dev-requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -r dev-requirements.txt
	@touch $@
