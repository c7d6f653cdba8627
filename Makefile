# Every target sets up what it needs by itself, without root, and can be run again at any time.
# With another Python: make PYTHON=python3.12 demo

PYTHON ?= python3
BIN := .venv/bin

# Else every one of the tests' processes would compile the whole product again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo run call test bench chaos screens screenshots check clean

help:
	@echo 'make demo    the whole product with a few real calls, then in service until Ctrl-C (ONCE=1: ends by itself)'
	@echo 'make run     in service, with the settings in config/'
	@echo 'make call    one call into the running hotline'
	@echo 'make test    everything that must hold'
	@echo 'make bench   ratios to the dialplan and Queue(), side by side (QUICK=1: five minutes)'
	@echo 'make chaos   the long runs of every fault, about 40 minutes (SEED=n, ONLY=fault,fault, MINUTES=n, README=1)'
	@echo 'make screens each person at their screens of a real hotline with calls: every page, both languages and widths'
	@echo 'make screenshots  the pictures of the console in docs/screenshots/, of a real hotline with real calls'
	@echo 'make check   ruff, mypy, import-linter'
	@echo 'make setup   only the set-up: .venv and a private Asterisk under .cache/'
	@echo 'make clean   removes .venv and .cache/; var/ (calls, recordings) stays'

setup:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) scripts/setup.py

demo: setup
	@$(BIN)/hotline demo $(if $(filter-out 0,$(ONCE)),--once)

run: setup
	@$(BIN)/hotline run --with-asterisk

call: setup
	@$(BIN)/hotline call-in

CHECKS := $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

check: setup
	$(CHECKS)

# What is checked needs .venv alone: Asterisk and the browser are fetched meanwhile. The tests on real Asterisks mostly
# wait, so many of them run at a time. Each person's day at their screens takes long: make screens.
test:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) scripts/setup.py --python
	@$(PYTHON) scripts/setup.py --web & fetched=$$!; $(CHECKS); checked=$$?; wait $$fetched && exit $$checked
	$(BIN)/pytest -n 2 tests/pure tests/virtual tests/web
	$(BIN)/pytest -n 6 --dist loadfile --no-loadscope-reorder tests/chaos tests/real

chaos: setup
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) \
		$(if $(MINUTES),--minutes $(MINUTES)) $(if $(filter-out 0,$(README)),--readme)

bench: setup
	@$(PYTHON) scripts/setup.py --web
	@$(BIN)/python -m hotline.bench $(if $(filter-out 0,$(QUICK)),--quick)

screens: setup
	@$(PYTHON) scripts/setup.py --web
	$(BIN)/pytest tests/screens

screenshots: setup
	@$(PYTHON) scripts/setup.py --web
	@$(BIN)/python -m tests.screenshots

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
