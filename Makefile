# pairspec: every stage target is one call of the command line.
#
#   make ingest SPECTRA=/data/lamost CATALOGUE=dr10_stellar.csv.gz ROOT=run
#   make infer  ROOT=run
#   make STAGE  CONFIG=pairspec.toml

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

CONFIG    ?=
ROOT      ?=
SPECTRA   ?=
CATALOGUE ?=
SET       ?=
STARS     ?= 12000
DEMO      ?= demo
NAME      ?=
DEEP      ?=
INPUTS    ?= 1000000
SEED      ?= 1
ARGS      ?=
STAGES    ?= all
WHAT      ?= lamost-catalogue
OUT       ?= data
WHERE     ?=

# A value as one word of the shell, whatever is in it; a path that may begin with ~/.
quoted   = '$(subst ','\'',$(1))'
path     = $(call quoted,$(if $(filter ~/%,$(firstword $(1))),$(patsubst ~/%,$(HOME)/%,$(1)),$(1)))

SETTINGS := $(if $(CONFIG),--config $(call path,$(CONFIG))) $(foreach s,$(SET),--set $(call quoted,$(s)))
OPTIONS  := $(if $(ROOT),--root $(call path,$(ROOT))) $(SETTINGS)
PAIRSPEC := $(BIN)/pairspec
# The list of stages is pipeline/stages.py; `simulate` and `ingest` take more options than the others.
PLAIN    := $(filter-out simulate ingest,$(shell $(PYTHON) -m pipeline.stages | cut -f1))
BENCHES   = $(sort $(notdir $(basename $(shell grep -l __main__ benchmarks/*/*.py))))

.DEFAULT_GOAL := help
.PHONY: help env acquire demo demo-large simulate ingest $(PLAIN) query browse submit status cancel verify settings test test-slurm test-kills check-install fuzz lint format docs docs-html bench rates clean

help: ## This list of the targets; `pairspec --help` lists all commands
	@echo "pairspec: find the unresolved binary stars in millions of low-resolution spectra"; echo
	@echo "Stages, in order:"
	@$(PYTHON) -m pipeline.stages | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo; echo "Everything else:"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo; echo "Options of a stage: CONFIG=file ROOT=folder SET='section.key=value ...'"
	@echo "  ingest: SPECTRA=folder CATALOGUE=file; simulate: STARS=12000 DEMO=folder"
	@echo; echo "On a cluster: copy a file of configs/, then make submit CONFIG=file, and docs/hpc.md"

env: $(READY) ## Create the environment (.venv) with the tested versions

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip<26.2"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,docs,explore,hpc,dust]"
	@touch $@

demo: env ## Simulate a survey, run every stage on it, show the catalogue (about 10 minutes)
	$(PAIRSPEC) demo --out $(call path,$(DEMO)) --stars $(STARS)

demo-large: env ## The same with about 72,000 spectra, for the patient (22 minutes)
	$(PAIRSPEC) demo --out $(call path,$(DEMO)-large) --stars 45000

simulate: env
	$(PAIRSPEC) simulate --stars $(STARS) --out $(call path,$(DEMO))

ingest: env
	$(PAIRSPEC) ingest $(OPTIONS) $(if $(SPECTRA),--spectra $(call path,$(SPECTRA))) $(if $(CATALOGUE),--catalogue $(call path,$(CATALOGUE)))

$(PLAIN): env
	$(PAIRSPEC) $@ $(OPTIONS)

acquire: env ## Fetch what a run needs: WHAT=lamost-catalogue OUT=data WHERE="snrg > 20" ARGS=...
	$(PAIRSPEC) acquire $(WHAT) --out $(call path,$(OUT)) $(if $(WHERE),--where $(call quoted,$(WHERE))) $(ARGS) $(SETTINGS)

query: env ## Ask the catalogue: SQL="SELECT ..."
	$(if $(SQL),,$(error say what to ask, e.g. make query ROOT=run SQL="SELECT count(*) FROM stars"))$(PAIRSPEC) query $(call quoted,$(SQL)) $(OPTIONS)

browse: env ## Explore the catalogue in a browser of this machine (docs/explorer.md)
	$(PAIRSPEC) browse $(OPTIONS)

submit: env ## Put stages into the cluster's queue: STAGES="ingest infer", or all (docs/hpc.md)
	$(PAIRSPEC) submit $(STAGES) $(OPTIONS)

status: env ## Show which stages of a run are complete, running, waiting or failed
	$(PAIRSPEC) status $(OPTIONS)

cancel: env ## Take stages back from the queue: STAGES="infer", or all
	$(PAIRSPEC) cancel $(STAGES) $(OPTIONS)

verify: env ## Compare the files of a run with its ledger: DEEP=1 for all contents
	$(PAIRSPEC) verify $(if $(DEEP),--deep) $(OPTIONS)

settings: env ## Show the settings that a run would use
	$(PAIRSPEC) settings $(OPTIONS)

test: env ## Run the tests (within 15 minutes on two cores)
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slurm"

test-slurm: env ## Run the tests of batch jobs on a private SLURM, which is installed if missing
	bash scripts/slurm/install.sh
	$(BIN)/python -m pytest -n 0 -m slurm

check-install: ## Install the package into a new environment and run a small demo elsewhere
	PYTHON=$(PYTHON) bash scripts/check_install.sh

test-kills: env ## Kill every stage at every file operation (hours)
	$(BIN)/python -m pytest -n 2 tests/pipeline/test_kills.py --every-kill

fuzz: env ## Feed a million broken files to the readers: INPUTS=1000000 SEED=1
	$(BIN)/python -m scripts.fuzz --inputs $(INPUTS) --seed $(SEED)
	$(BIN)/python -m pytest -n 2 tests/pipeline/lamost/test_broken_files.py --hypothesis-profile=random --timeout=3600

lint: env ## Check style, types, docstrings, formatting and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/check_docstrings.py pipeline cluster schemas
	$(BIN)/lint-imports --no-logo

format: env ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs-html: env ## Make the documentation site: docs/_build/html/index.html
	rm -rf docs/generated
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build/html

docs: env ## Regenerate the pages on tables, settings and commands
	$(BIN)/python scripts/write_docs.py

bench: env ## Run one benchmark: NAME=read ARGS="..."; without NAME, list them
ifeq ($(NAME),)
	@echo "make bench NAME=... ARGS='...', where NAME is one of:"
	@for name in $(BENCHES); do sed -n "1s/^\"\"\"\(.*\)/  $$name\t\1/p" benchmarks/*/$$name.py; done | expand -t 24
else
	$(BIN)/python benchmarks/*/$(NAME).py $(ARGS)
endif

rates: env ## docs/rates.md, from what the benchmarks kept
	$(BIN)/python benchmarks/speed/rates.py

clean: ## Remove the environment and the demo
	rm -rf $(VENV) $(call path,$(DEMO)) $(call path,$(DEMO)-large)
