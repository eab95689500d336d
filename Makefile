# Every target first makes sure of the environment .venv, so that python3, make and git are all one needs.
.DEFAULT_GOAL := help
.PHONY: help run demo services stop check test chaos lock clean environment

PYTHON ?= python3
BIN := .venv/bin
LOCAL := $(BIN)/python -m deploy.local
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

help: ## show these lines
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1	\2/' | expand -t 16

run: environment ## start everything on this machine and print where it is (PORT=8000, STATE_DIR=var)
	@$(LOCAL) run

demo: environment ## do the main job once from timetable to mail, print what happened, and end
	@$(LOCAL) demo

services: environment ## start only the embedded servers, in the background, and print their addresses
	@$(LOCAL) services

stop: environment ## end what `make run` or `make services` has started
	@$(LOCAL) stop

check: environment ## format, lint, types, imports, system checks, migrations, timetable, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py check
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py validate_schedules --fail-level warning
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow" tests/unit

test: check ## everything in `make check`, then all other tests
	$(BIN)/pytest -n 3 --dist loadfile --ignore=tests/unit tests

chaos: environment ## kill workers and servers for half an hour, beside Celery's own transport; and long tests in full
	$(BIN)/python -m tests.chaos
	$(BIN)/python -m tests.chaos.durable
	$(BIN)/python -m tests.chaos.firings
	$(BIN)/python -m tests.chaos.broker_down
	SWEEP_ROWS=20000 $(BIN)/pytest tests/integration/operations/test_auto_close_volume.py tests/integration/helpdesk/test_sweep.py
	ALL_MUTANTS=1 DELAYED_JOBS=10000 $(BIN)/pytest tests/integration/broker/test_state_machine.py \
		tests/integration/broker/test_t6_delayed_jobs_wait_on_the_server.py

lock: environment ## write the lock files anew from pyproject.toml
	$(COMPILE) pyproject.toml -o deploy/requirements.lock
	$(COMPILE) --all-extras pyproject.toml -o deploy/requirements-dev.lock

clean: stop ## remove everything that these commands have made: .venv, var with its data, caches
	@$(LOCAL) discard
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find apps deploy intelliwiz_config tests scripts benchmarks -name __pycache__ -prune -exec rm -rf {} +

environment:
	@$(PYTHON) deploy/local/environment.py
