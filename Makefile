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

OPTIONS := $(if $(CONFIG),--config $(CONFIG)) $(if $(ROOT),--root $(ROOT)) $(foreach s,$(SET),--set $(s))
PAIRSPEC := $(BIN)/pairspec

.DEFAULT_GOAL := help
.PHONY: help env demo demo-large simulate ingest photometry select label composites train infer evaluate catalogue report query settings test lint format docs bench clean

help: ## This list
	@echo "pairspec: find the unresolved binary stars in millions of low-resolution spectra"; echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo; echo "Options of a stage: CONFIG=file ROOT=folder SET='section.key=value ...'"

env: $(READY) ## Create the environment (.venv) with the tested versions

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip<26.2"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,hpc,dust]"
	@touch $@

demo: env ## Simulate a survey, run every stage on it, show the catalogue (about 10 minutes)
	$(BIN)/pairspec demo --out $(DEMO) --stars $(STARS)

demo-large: env ## The same with about 72,000 spectra, for the patient (22 minutes)
	$(BIN)/pairspec demo --out $(DEMO)-large --stars 45000

simulate: env ## Write a synthetic survey: STARS=12000 DEMO=demo
	$(PAIRSPEC) simulate --stars $(STARS) --out $(DEMO)

ingest: env ## Read FITS files into the store: SPECTRA=dir CATALOGUE=file
	$(PAIRSPEC) ingest $(OPTIONS) $(if $(SPECTRA),--spectra $(SPECTRA)) $(if $(CATALOGUE),--catalogue $(CATALOGUE))

photometry: env ## Match spectra to Gaia and 2MASS, derive their intrinsic brightness
	$(PAIRSPEC) photometry $(OPTIONS)

select: env ## Cut the sample out of all spectra, with the cut flow
	$(PAIRSPEC) select $(OPTIONS)

label: env ## Label the training sample and split it by star
	$(PAIRSPEC) label $(OPTIONS)

composites: env ## Add up spectra of single stars: training examples with a known answer
	$(PAIRSPEC) composites $(OPTIONS)

train: env ## Train the network
	$(PAIRSPEC) train $(OPTIONS)

infer: env ## Give every spectrum its binary probability
	$(PAIRSPEC) infer $(OPTIONS)

catalogue: env ## One row a star
	$(PAIRSPEC) catalogue $(OPTIONS)

evaluate: env ## Judge the network on the held-out test part
	$(PAIRSPEC) evaluate $(OPTIONS)

query: env ## Ask the catalogue: SQL="SELECT ..."
	$(PAIRSPEC) query "$(SQL)" $(OPTIONS)

settings: env ## Show the settings that a run would use
	$(PAIRSPEC) settings $(OPTIONS)

test: env ## Run the tests (within 15 minutes on two cores)
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: env ## Check style, types and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: env ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: env ## Regenerate the data dictionary and the list of settings
	$(BIN)/python scripts/write_docs.py

bench: env ## Run the benchmarks
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean: ## Remove the environment and the demo
	rm -rf $(VENV) $(DEMO) $(DEMO)-large
