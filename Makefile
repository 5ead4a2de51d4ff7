# make demo     the main job, start to end, on bundled data (build/demo)
# make test     every test, and the examples in the documentation
# make check    formatting, lint, types, import rules, documentation
# make docs     the documentation (build/docs/html/index.html)
#
# The first of them makes .venv. It needs Python 3.11 or later and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TOOLS := yosys nextpnr-ecp5 ecppack nextpnr-ice40 icepack boolector
PYTEST_ARGS ?= -n auto --dist worksteal -q

.DEFAULT_GOAL := test
.PHONY: demo test check docs clean

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) must be Python 3.11 or later; name another with make PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[simulation,dev]"
	@# The first call of a tool compiles it, and two at once would write over each other.
	@for tool in $(TOOLS); do \
		echo "prepare $$tool"; $(BIN)/yowasp-$$tool --version >/dev/null 2>&1 || true; \
	done
	touch $@

demo: $(STAMP)
	$(BIN)/spintron demo

# As many workers as cores, and so one thread for each.
test: export OMP_NUM_THREADS := 1
test: $(STAMP)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(STAMP) docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs/html

clean:
	rm -rf build
