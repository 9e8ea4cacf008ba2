# `make demo` and `make test` set everything up themselves; with that done, no target but `lock` needs the network.

# Of the demo: a document of yours instead of the one it makes, and where the evidence goes.
FILE ?=
OUT ?= demo-out
# Of the demo: `make demo GOALS=1` fails where a goal of time is missed.
GOALS ?=
# Of the tests: more arguments for pytest, as in `make test ARGS="tests/merkle -x"`.
ARGS ?=
# Of the locks: `make lock UPGRADE=--upgrade` takes the newest versions.
UPGRADE ?=

PYTHON_ENV := .venv/.ready
BASE_ENV := .make/base/.ready
NODE_ENV := contracts_solidity/node_modules/.ready
BROWSER := tests/e2e/node_modules/.ready
ORACLES := tests/verifier_js/node_modules/.ready
BIN := .venv/bin
CODE := notary scripts tests

# Bytecode is kept: every process of the tests would compile all modules anew, and write all asserts anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(PYTHON_ENV) $(NODE_ENV) ## one signed contract becomes evidence and is verified offline (FILE=… OUT=…)
	$(BIN)/python scripts/demo.py $(if $(FILE),--file '$(FILE)') $(if $(GOALS),--goals) --out '$(OUT)'

.PHONY: test
test: $(PYTHON_ENV) $(BASE_ENV) $(NODE_ENV) $(BROWSER) $(ORACLES) firefox ## run the tests (ARGS=… for pytest)
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-faults
test-faults: $(PYTHON_ENV) $(NODE_ENV) ## all crash tests: every write killed, failed and power-cut (ARGS=… for pytest)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "faults or crash" $(ARGS)

.PHONY: test-anchoring
test-anchoring: $(PYTHON_ENV) $(NODE_ENV) ## the contract beside the reference, kills and reorganisations, all of them (ARGS=… for pytest)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m anchoring $(ARGS)

.PHONY: test-fuzz
test-fuzz: $(PYTHON_ENV) ## 200,000 mutants of packages, bugs put into the verifiers (ARGS=… for pytest)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m fuzz $(ARGS)

.PHONY: test-hostile
test-hostile: $(PYTHON_ENV) $(NODE_ENV) ## every hostile PDF through the sandbox, with its time and memory (ARGS=… for pytest)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m hostile $(ARGS)

.PHONY: coverage
coverage: $(PYTHON_ENV) $(ORACLES) ## every branch of the verifier and the tree is taken by its tests
	$(BIN)/python -m pytest -n 2 tests/evidence tests/merkle --cov --cov-report=term-missing $(ARGS)

.PHONY: mutants
mutants: $(PYTHON_ENV) ## one thing changed in the verifier or the tree at a time, for hours (SAMPLE=400 SEED=1 NAMES=notary.merkle.*)
ifdef SAMPLE
	$(BIN)/python scripts/mutants.py $(SAMPLE) $(if $(SEED),--seed $(SEED)) $(if $(NAMES),--names '$(NAMES)')
else
	$(BIN)/mutmut run --max-children 2 $(NAMES)
endif

.PHONY: run
run: $(PYTHON_ENV) $(NODE_ENV) ## run the service with a local chain and TSA: http://127.0.0.1:8000
	$(BIN)/notary dev

.PHONY: check
check: $(PYTHON_ENV) ## format, lint, types, layers, names
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/check_names.py

.PHONY: bench
bench: $(PYTHON_ENV) $(NODE_ENV) ## measure, and write bench.json
	$(BIN)/python scripts/bench.py

.PHONY: bench-large
bench-large: $(PYTHON_ENV) $(NODE_ENV) ## the same at sizes that take an hour and 40 GB
	$(BIN)/python scripts/bench.py --large

COMPILE := env -u PIP_FIND_LINKS -u UV_FIND_LINKS $(BIN)/uv --no-config pip compile --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --python-version 3.11 -q --custom-compile-command 'make lock' $(UPGRADE)

.PHONY: lock
lock: $(PYTHON_ENV) ## write requirements/*.txt anew after a change of pyproject.toml (UPGRADE=--upgrade)
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) pyproject.toml -o requirements/base.txt
	$(COMPILE) pyproject.toml --extra server -o requirements/server.txt
	$(COMPILE) pyproject.toml --extra server --group dev -o requirements/dev.txt

.PHONY: up
up: ## build and start the Compose set-up: PostgreSQL, chain, TSA, two APIs, worker
	docker compose up --build --detach --wait

.PHONY: clean
clean: ## remove what make installed and built; data stays
	rm -rf .venv .make contracts_solidity/node_modules tests/e2e/node_modules tests/verifier_js/node_modules dist

# What the machine must have is looked at every time; it makes nothing, so it makes nothing stale.
.PHONY: tools
tools:
	@scripts/bootstrap tools

$(PYTHON_ENV): requirements/uv.txt requirements/dev.txt pyproject.toml scripts/bootstrap | tools
	@scripts/bootstrap venv

$(BASE_ENV): requirements/base.txt $(PYTHON_ENV) | tools
	@scripts/bootstrap base

$(NODE_ENV): contracts_solidity/package.json contracts_solidity/package-lock.json scripts/bootstrap | tools
	@scripts/bootstrap node

.PHONY: firefox
firefox: | tools
	@scripts/bootstrap firefox

$(ORACLES): tests/verifier_js/package.json tests/verifier_js/package-lock.json scripts/bootstrap | tools
	@scripts/bootstrap oracles

$(BROWSER): tests/e2e/package.json tests/e2e/package-lock.json scripts/bootstrap | tools
	@scripts/bootstrap browser
