# Everything a person does with this project; `make help` lists it. Targets install what they need (scripts/setup.sh).
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: .make/dev ## make the virtual environment, with the tools for development

.make/run: requirements/run.txt scripts/setup.sh pyproject.toml
	@bash scripts/setup.sh run

.make/dev: .make/run requirements/dev.txt
	@bash scripts/setup.sh dev

.make/services: scripts/setup.sh
	@bash scripts/setup.sh services

.PHONY: demo
demo: .make/run ## start everything with virtual cameras; Ctrl-C stops it
	@$(VENV)/bin/bodycam up --demo

.PHONY: run
run: .make/run ## start everything for earnest use on this machine (data/)
	@$(VENV)/bin/bodycam up

.PHONY: test
test: .make/dev .make/services ## all checks and all tests, in a real browser and against real services
	@$(MAKE) --no-print-directory check
	$(PYTEST) -n 3 --dist loadgroup tests

.PHONY: check
check: .make/dev ## format, lint, types, import directions, dependencies, templates, vendored files
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/deptry .
	$(VENV)/bin/djlint --lint webui --quiet
	$(PY) scripts/vendor.py --check
	$(PY) scripts/events.py --check

.PHONY: fix
fix: .make/dev ## format and mend what can be mended
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

.PHONY: test-unit
test-unit: .make/dev ## the quick tests alone
	$(PYTEST) -n 2 tests/unit

.PHONY: test-pg
test-pg: .make/dev .make/services ## what runs against PostgreSQL
	$(PYTEST) -m postgres tests

.PHONY: faults
faults: .make/dev ## 1,000 randomized runs of the dock with faults, seeds from 1 (a quarter of an hour): make faults runs=1000 seed=1
	$(PY) -m tests.faults.dock_runs --runs $(or $(runs),1000) --seed $(or $(seed),1)

.PHONY: evidence-faults
evidence-faults: .make/dev ## 10,000 kills and power cuts over the evidence core, 10,000 bit flips in a package: make evidence-faults points=10000 seed=1
	$(PY) -m tests.faults.evidence_runs --points $(or $(points),10000) --seed $(or $(seed),1)
	$(PY) -m tests.faults.package_flips --flips $(or $(points),10000) --seed $(or $(seed),1)

.PHONY: e2e
e2e: .make/dev .make/services ## the pages in Chromium
	$(PYTEST) -m e2e tests/e2e

.PHONY: test-usb
test-usb: .make/dev ## the dock service against real USB devices in a guest under QEMU (15 minutes, on demand)
	@bash scripts/setup.sh guest
	@$(PY) -m tests.usb_guest.run

.PHONY: bench-usb
bench-usb: .make/dev ## USB in that guest against libgphoto2, rsync and rclone (8 minutes)
	@bash scripts/setup.sh guest
	@$(PY) -m bench.usb_guest

.PHONY: bench
bench: .make/run ## measure against peers in the same run (minutes, needs rsync and 12 GB)
	$(PY) bench/offload_folder.py
	$(PY) bench/mtp.py
	$(PY) bench/dock_resume.py
	$(PY) bench/startup.py
	$(PY) bench/seek.py
	$(PY) bench/log_append.py

.PHONY: migration
migration: .make/dev ## write the next migration from the models: make migration m="add a table"
	$(PY) scripts/migration.py "$(m)"

.PHONY: pins
pins: .make/dev ## compile the pinned requirements again
	$(VENV)/bin/pip-compile -q --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header -o requirements/run.txt pyproject.toml
	$(VENV)/bin/pip-compile -q --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --extra dev -c requirements/run.txt -o requirements/dev.txt pyproject.toml

.PHONY: docs
docs: ## where the documents are
	@ls docs/*.md docs/adr/*.md

.PHONY: docs-events
docs-events: .make/dev ## write docs/events.md from the table of kinds
	$(PY) scripts/events.py

.PHONY: clean
clean: ## remove what make made (not data/)
	rm -rf $(VENV) .make build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis test-artifacts
