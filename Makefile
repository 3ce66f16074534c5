# Every target sets up .venv by itself the first time. `make help` says what each one does.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOWEST_VENV := .venv-lowest
LOWEST_READY := $(LOWEST_VENV)/.ready
# Carries an OpenSSL 3.5 that the tests compare with; it cannot be installed beside the wheel with 1.1.1w, so it is only unpacked.
OPENSSL_3_5 := psycopg2-binary==2.9.11
# A peer of `make bench`, in a venv of its own: it pins other versions of what we use.
SSLYZE := sslyze==6.3.1
# Tests on a lab wait half of the time: for a peer that restarts, for a login, for a list to arrive.
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
# Tests start some hundreds of processes, and each would compile every source anew.
unexport PYTHONDONTWRITEBYTECODE
# What the versions of dependencies bear on: what imports them, and every command on a lab once. Plans, histories, certificates and
# evidence have none; what is about processes, restarts and pages is the same with any.
LOWEST := tests/cli/verbs $(filter-out tests/cli/test_fleet_processes.py,$(wildcard tests/cli/test_*.py)) tests/cli/stories/test_story.py \
  tests/cli/stories/test_reading.py tests/cli/stories/test_cucm_trust.py $(wildcard tests/connectors/test_*.py) tests/connectors/expressway \
  tests/connectors/tls tests/connectors/unified_cm tests/docs/test_docs.py tests/formats tests/inventory tests/lab tests/package \
  tests/planner/solver tests/report tests/playbooks/test_story.py tests/playbooks/test_modules.py

# Tests of state, exit code, journal and plan: they hold whatever the words of a message are. A corpus compares numbers of OpenSSL.
SCRAMBLED := tests/executor tests/histories/test_histories.py $(filter-out %corpus.py,$(wildcard tests/trust/test_*.py)) \
  tests/planner/solver $(wildcard tests/planner/test_*.py)

.PHONY: messages help setup demo sanity test lowest matrix coverage check lab bench prove scrambled french fuzz torture lock release clean

help: ## say what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (once; a minute or two)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab,dev,ansible,lint]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(VENV)/openssl-3.5 '$(OPENSSL_3_5)'
	@touch $(READY)

setup: $(READY) ## set up .venv with everything that is developed and tested with

demo: $(READY) ## the whole story on the embedded lab: collect, plan, dry run, apply, verify
	@scripts/install-judge.sh --if-possible
	@$(BIN)/remediate demo

test: $(READY) ## every test, the stories on the lab included
	@scripts/install-judge.sh --if-possible --with-browser --with-promtool
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

$(LOWEST_READY): pyproject.toml constraints-lowest.txt
	@$(PYTHON) -m venv --clear $(LOWEST_VENV)
	@$(LOWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt -e '.[lab,dev,ansible]'
	@$(LOWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(LOWEST_VENV)/openssl-3.5 '$(OPENSSL_3_5)'
	@touch $(LOWEST_READY)

lowest: $(LOWEST_READY) ## every test that a dependency bears on, with the lowest version of every dependency that pyproject.toml allows
	@$(LOWEST_VENV)/bin/python -m pytest -q -n $(WORKERS) --dist loadgroup $(LOWEST) $(ARGS)

matrix: ## the tests on Debian 12, 13 and sid, each with its own Python and OpenSSL, in chroots (root and debootstrap); says what it could not run
	@$(PYTHON) -m scripts.matrix $(if $(ARGS),-- $(ARGS))

coverage: $(READY) ## every test, measured: what no test reaches in trust, planner and executor; fails under 95 % of any, lines and branches together
	@scripts/install-judge.sh --if-possible --with-browser --with-promtool
	@$(BIN)/coverage erase
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup --cov --cov-report= $(ARGS)
	@status=0; for room in trust planner executor; do \
	  echo; echo "$$room"; $(BIN)/coverage report --include="remediate/$$room/*" --fail-under=95 || status=1; \
	done; exit $$status

check: $(READY) ## format, lint, types, import contracts, rules of the house
	@echo "ruff format"; $(BIN)/ruff format --check --quiet .
	@echo "ruff lint"; $(BIN)/ruff check --quiet .
	@echo "mypy"; $(BIN)/mypy --no-error-summary
	@echo "import contracts"; $(BIN)/lint-imports --no-cache >/tmp/remediate-imports.$$$$ || { cat /tmp/remediate-imports.$$$$; exit 1; }; rm -f /tmp/remediate-imports.$$$$
	@echo "ansible-lint"; ANSIBLE_COLLECTIONS_PATH=playbooks/collections $(BIN)/ansible-lint -q --nocolor playbooks
	@echo "house rules"; $(BIN)/python -m scripts.check_house

messages: $(READY) ## bring the catalogues up to date with the sources, and compile them
	@$(BIN)/python -m scripts.messages

sanity: $(READY) ## `ansible-galaxy collection build` and `ansible-test sanity` of the collection; ARGS=--all also what CI leaves out
	@$(BIN)/python -m scripts.check_collection $(ARGS)

lab: $(READY) ## start the lab and say how to talk to it (`remediate lab down` ends it)
	@$(BIN)/remediate lab up

bench: $(READY) ## what README claims about speed, measured beside a peer
	@test -x .venv-sslyze/bin/sslyze || { $(PYTHON) -m venv --clear .venv-sslyze && \
	  .venv-sslyze/bin/python -m pip install --quiet --disable-pip-version-check '$(SSLYZE)'; }
	@$(BIN)/python -m benchmarks

lock: ## write constraints.txt anew from the newest versions that fit pyproject.toml, and constraints-lowest.txt from the lowest
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check -e '.[lab,dev,ansible,lint,release]' uv
	@.venv-lock/bin/python -m pip freeze --exclude-editable --exclude uv > constraints.txt
	@.venv-lock/bin/uv pip compile --quiet --resolution lowest-direct --python-version 3.11 --no-header --no-annotate \
	  --extra lab --extra dev --extra ansible -o constraints-lowest.txt pyproject.toml
	@rm -rf .venv-lock

prove: $(READY) ## the laws of a plan and brute force over thousands of drawn clusters (a quarter of an hour); `make test` does some
	@REMEDIATE_EXAMPLES=2000 $(BIN)/python -m pytest -q -n auto tests/properties tests/trust/test_openssl_program.py

scrambled: $(READY) ## tests of state, exit code, journal and plan, with random words in the place of every sentence
	@REMEDIATE_SCRAMBLED=1 REMEDIATE_HISTORIES=100 $(BIN)/python -m pytest -q -n auto -m "not lab" $(SCRAMBLED) $(ARGS)

french: $(READY) ## the stories of every command in French (half an hour); one that prints English words fails
	@REMEDIATE_FRENCH=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup tests/cli $(ARGS)

fuzz: $(READY) ## damaged certificates and files through every call into OpenSSL, in child processes (REMEDIATE_FUZZ_S seconds, five minutes if left out)
	@$(BIN)/python -m tests.fuzz

torture: $(READY) ## kill applies, rollbacks and restarts on the lab at every point and at random, then 10,000 drawn histories (an hour and a half); `make test` does some
	@$(BIN)/python -m tests.torture

release: ## sdist, wheel, SBOM and checksums in dist/, checked and installed once; uploads nothing
	@PYTHON=$(PYTHON) scripts/release.sh

clean: ## remove everything that was made here
	rm -rf $(VENV) $(LOWEST_VENV) .venv-sslyze .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
