# The project's commands; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run backfill notebook quality schema up down status logs psql break repair change alert-test env pin package test compose-test test-slow test-scheduler test-browser test-invariant test-mwaa test-kubernetes test-astro test-redshift proof proof-sweep bench bench-history lint check-sql check-project format lock clean

PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := plugins:dags:.
# Each process would compile the project's modules again: a command starts dozens.
unexport PYTHONDONTWRITEBYTECODE
# Each file in locks/ is the locked version of the requirements file of that name; pip rejects other hashes.
INSTALL := pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet

NOTEBOOK = $(BIN)/python -m sandbox.notebook $(if $(DATA),--data "$$DATA") $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO))

help:  ## Show this help
	@echo "Sparkify warehouse on Airflow"; echo
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { sub(/ \[/, "\n" sprintf("%19s", "") "[", $$2); printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo; echo "Start with: make run"

run: .venv/run  ## Load data on this machine and show the result [DATA=folder or .tar.gz] [FROM=day TO=day after] [HOURLY=1]
	@$(BIN)/python -m sandbox.run $(if $(DATA),--data "$$DATA") $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) $(if $(HOURLY),--hourly)

backfill: .venv/run  ## Load hour by hour on Airflow's own scheduler [DATA FROM TO] [RUNS=6] [REPROCESS=completed] [BACKWARDS=1]
	@$(BIN)/python -m sandbox.backfill $(if $(DATA),--data "$$DATA") $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) $(if $(RUNS),--runs $(RUNS)) $(if $(REPROCESS),--reprocess $(REPROCESS)) $(if $(BACKWARDS),--backwards)

quality: .venv/run  ## Show the latest results of the data quality checks
	@$(BIN)/python -m sandbox.quality

schema: .venv/run  ## Show the schema changes that the next run applies [CONN=connection id]
	@$(BIN)/python -m sandbox.schema $(if $(CONN),--connection $(CONN))

notebook: .venv/run  ## Render the notebook on the data of make run as HTML [DATA FROM TO as for run]
	@# Before an installation that takes a minute: is there anything to show?
	@if [ ! -e .venv/notebook ]; then $(NOTEBOOK) --check; fi
	@$(MAKE) --no-print-directory .venv/notebook
	@$(NOTEBOOK)

up: .venv/run  ## Start Airflow in the background, with live events [PORT=8080]
	@$(BIN)/python -m sandbox.up up $(if $(PORT),--port $(PORT))

down: .venv/run  ## Stop everything that `make up` started
	@$(BIN)/python -m sandbox.up down

status: .venv/run  ## Show the health of each component, the last run and the next
	@$(BIN)/python -m sandbox.up status || true

logs: .venv/run  ## Follow the logs of all components [ARGS=scheduler, feeder, ...]
	@$(BIN)/python -m sandbox.up logs $(ARGS)

psql: .venv/run  ## Open a SQL shell on the warehouse
	@$(BIN)/python -m sandbox.up psql

alert-test: .venv/run  ## Send a test alert through every configured channel
	@$(BIN)/python -m sandbox.up alert-test

break: .venv/run  ## Add invalid events to the current hour, to see an alert
	@$(BIN)/python -m sandbox.up break

change: .venv/run  ## Change the file of an old day, to see it loaded again
	@$(BIN)/python -m sandbox.up change

repair: .venv/run  ## Remove the invalid events of make break
	@$(BIN)/python -m sandbox.up repair

env:  ## Write .env for docker-compose.yaml: docs/compose.md
	@$(PYTHON) -m containers.env

pin:  ## Pin the images of the containers by digest: docs/compose.md
	@$(PYTHON) -m containers.pin

package:  ## Write the package for Amazon MWAA into dist/mwaa: docs/aws.md
	@$(PYTHON) -m deploy.mwaa.package dist/mwaa
	@echo "The package is in dist/mwaa; deploy.md there has the commands that deploy it."

test: .venv/dev  ## Run the tests [ARGS=pytest arguments]
	@# One more process than cores: the tests wait for servers, too.
	$(BIN)/pytest -m "not (scheduler or browser or compose or mwaa or slow or kubernetes or astro)" --numprocesses $$($(BIN)/python -c "import os; print(min(os.cpu_count() + 1, 5))") --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: .venv/dev  ## Run the slow tests: upgrades, real hours, benchmarks [EXAMPLES=2] [ARGS=pytest arguments]
	UPGRADE_EXAMPLES=$(or $(EXAMPLES),2) $(BIN)/pytest -m slow --numprocesses 2 $(ARGS)

test-scheduler: .venv/dev  ## Run the tests on Airflow's own scheduler, 12 minutes [ARGS=pytest arguments]
	$(BIN)/pytest -m scheduler --numprocesses 3 --dist loadfile --ignore tests/unit --ignore tests/redshift $(ARGS)

test-browser: .venv/dev  ## Run the tests in a browser (needs Chromium) [ARGS=pytest arguments]
	$(BIN)/pytest -m browser --numprocesses 2 --dist loadfile --ignore tests/unit --ignore tests/redshift --ignore tests/integration $(ARGS)

test-invariant: .venv/dev  ## Search for runs that violate docs/intervals.md [EXAMPLES=200]
	INVARIANT_EXAMPLES=$(or $(EXAMPLES),200) INTERLEAVING_EXAMPLES=2000 FAULT_KILLS=60 ISOLATION_EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/pytest --timeout 7200 tests/integration/loading tests/integration/test_invariant.py tests/redshift/test_side_by_side.py tests/integration/test_reconcile_histories.py tests/second_source/test_invariant.py tests/second_source/test_reconcile.py tests/integration/test_faults.py

compose-test: .venv/dev  ## Run the tests of the containers, 17 minutes (needs Docker) [ARGS=pytest arguments]
	$(BIN)/pytest -m compose tests/compose $(ARGS)

test-mwaa: package  ## Run the tests as on Amazon MWAA (needs Python 3.12) [ARGS=pytest arguments] [MWAA_PYTHON=path]
	@tests/mwaa/run.sh $(ARGS)

test-kubernetes: .venv/kubernetes  ## Render the Helm chart with deploy/kubernetes [CHART=archive] [ARGS=pytest arguments]
	CHART="$(CHART)" $(BIN)/pytest tests/kubernetes tests/unit/test_kubernetes.py $(ARGS)

test-astro: .venv/dev  ## Run the tests of the image for Astro, 2 minutes [ARGS=pytest arguments]
	$(BIN)/pytest -m astro tests/end_to_end/test_astro.py $(ARGS)

test-redshift: .venv/dev  ## Compare a real Redshift with the local engine [BUCKET=to write to] [ARGS=pytest arguments]
	@test -n "$(BUCKET)" -a -n "$$AIRFLOW_CONN_REDSHIFT" -a -n "$$AIRFLOW_CONN_AWS" || { echo "make test-redshift BUCKET=<bucket> needs AIRFLOW_CONN_REDSHIFT and AIRFLOW_CONN_AWS: see README.md, On AWS."; exit 2; }
	REDSHIFT_BUCKET="$(BUCKET)" $(BIN)/pytest $(addprefix tests/redshift/test_,workgroup.py month.py levels.py questions.py) $(ARGS)

proof: .venv/dev  ## Prove the project on a Redshift that is created and deleted [REGION PRICE CIDR]
	@$(BIN)/python -m proof $(if $(REGION),--region "$$REGION") run $(if $(PRICE),--price "$$PRICE") $(if $(CIDR),--cidr "$$CIDR")

proof-sweep: .venv/dev  ## Delete what earlier proofs left [REGION HOURS=3]
	@$(BIN)/python -m proof $(if $(REGION),--region "$$REGION") sweep $(if $(HOURS),--hours "$$HOURS")

bench: .venv/run .venv-bench/bench  ## Run the benchmarks against their baselines; all take hours [ARGS="staging --events 200000 --repeat 3"] [ARGS=--help]
	@PYTHONPATH=$(PYTHONPATH):. $(BIN)/python -m bench $(ARGS)

bench-history: .venv/run  ## Benchmark an hour on a short and on a long history [ARGS="--smoke" or --help]
	@PYTHONPATH=$(PYTHONPATH):. $(BIN)/python -m bench history $(ARGS)

lint: .venv/dev  ## Check style, types, imports, dependencies, SQL, Docker files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry plugins dags
	$(BIN)/deptry sandbox --requirements-files requirements.txt,requirements-local.txt,requirements-notebook.txt,requirements-dev.txt --ignore DEP002
	$(BIN)/sqlfluff lint --disable-progress-bar include/sql
	$(BIN)/python -m sql_rules.project
	$(BIN)/cfn-lint include/infrastructure/*.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*
	$(BIN)/hadolint Dockerfile deploy/astro/Dockerfile
	$(BIN)/shellcheck deploy/mwaa/startup.sh tests/mwaa/run.sh $(filter-out %.py %__pycache__,$(wildcard containers/*))

check-sql: .venv/dev  ## Check that SQL means the same on both engines: docs/sql.md [FILES="a.sql b.yaml"]
	@$(BIN)/python -m sql_rules $(FILES)

check-project: .venv/dev  ## Check that SQL, checks, DAGs use declared, described names
	@$(BIN)/python -m sql_rules.project

format: .venv/dev  ## Format code, fix what linters can fix, write generated files
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --disable-progress-bar include/sql
	$(BIN)/python -m sparkify.quality.schema
	$(BIN)/python -m sandbox.dictionary
	$(BIN)/python -m sandbox.metrics

lock:  ## Resolve requirements*.txt into locks/ (needs uv)
	$(COMPILE) requirements-dev.txt -o locks/requirements-dev.txt
	@# The others are subsets of it, with the same versions.
	for name in requirements requirements-local requirements-notebook; do $(COMPILE) -c locks/requirements-dev.txt $$name.txt -o locks/$$name.txt || exit 1; done
	$(COMPILE) -c locks/requirements-dev.txt requirements-kubernetes.txt -o locks/requirements-kubernetes.txt
	$(COMPILE) requirements-bench.txt -o locks/requirements-bench.txt

clean:  ## Remove everything the project created here
	@if [ -d .local/live ] && [ -x $(BIN)/python ]; then $(BIN)/python -m sandbox.up down; fi
	@if [ -d .local/scheduler ] && [ -x $(BIN)/python ]; then $(BIN)/python -m sandbox.components .local/scheduler/*; fi
	@if [ -d .local ] && [ -x $(BIN)/python ]; then $(BIN)/python -m sandbox.servers .local; fi
	rm -rf .venv .venv-bench .venv-mwaa .local dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Clean. 'make run' starts from scratch."

.venv/bin/python:
	$(PYTHON) -m venv .venv

# Stamp files of the installed requirements. Each environment includes that of `make run`.
.venv/run: locks/requirements-local.txt | .venv/bin/python
	@echo "Installing $$(grep -c == $<) packages into .venv (once; one to three minutes on two cores) ..."
	@$(BIN)/$(INSTALL) -r $<
	@touch $@

.venv/notebook: locks/requirements-notebook.txt .venv/run
	@echo "Installing the notebook's requirements into .venv ..."
	@$(BIN)/$(INSTALL) -r $<
	@touch $@

.venv/dev: locks/requirements-dev.txt .venv/run
	@echo "Installing the development tools into .venv ..."
	@$(BIN)/$(INSTALL) -r $<
	@touch $@

.venv/kubernetes: locks/requirements-kubernetes.txt .venv/dev
	@echo "Installing Helm's library and the schemas of Kubernetes into .venv ..."
	@$(BIN)/$(INSTALL) -r $<
	@touch $@

# The baselines of the benchmarks conflict with the project's lock: they have a separate environment.
.venv-bench/bench: locks/requirements-bench.txt
	@echo "Installing the baselines of the benchmarks into .venv-bench ..."
	@$(PYTHON) -m venv .venv-bench
	@# The lock is complete. With dependencies, pip's hash mode rejects the pin of a package that another one requires with an extra.
	@.venv-bench/bin/$(INSTALL) --no-deps -r $<
	@touch $@
