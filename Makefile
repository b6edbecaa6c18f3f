# One command per thing a reader wants to do. `make` alone lists them.
# Works with GNU make 3.81 (the one macOS ships) and later.

VENV     ?= .venv
PRESET   ?= lab
PLATFORM ?= python
WORKERS  ?= 2
# PYTHON=/path/to/python chooses the interpreter; without it the first suitable one on PATH is taken.
PYTHON   ?=

PY        := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
# One lab runs make itself: it must not inherit this make's flags, job server or PRESET=… overrides.
RUN       := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(PY)

# Nothing here reports home. The locked Airflow, Kubeflow Pipelines and Modal have no such switch to set.
export DAGSTER_DISABLE_TELEMETRY := yes
export WANDB_ERROR_REPORTING := false

.DEFAULT_GOAL := help
.PHONY: help setup doctor lock compare test check fix run lab-make lab-airflow lab-kubeflow lab-dagster lab-modal \
        notebooks benchmark lab image clean distclean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(INSTALLED) ## install everything into .venv (conda: make setup VENV=$CONDA_PREFIX)

$(INSTALLED): requirements.lock pyproject.toml
	@VENV="$(VENV)" PYTHON="$(PYTHON)" sh infra/setup.sh
	@touch $@

doctor: ## check this machine and the installation
	@python=$$(PYTHON="$(PYTHON)" sh infra/find-python.sh --any) && VENV="$(VENV)" "$$python" infra/doctor.py

lock: ## resolve requirements.lock again (UPGRADE=1: to the newest versions)
	@PATH="$$PATH:$(VENV)/bin"; command -v uv >/dev/null || { echo "lock: uv not found; run make setup first" >&2; exit 1; }; \
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    $(if $(UPGRADE),--upgrade) -q -o requirements.lock

compare: $(INSTALLED) ## the same training pipeline on every platform, one table (PRESET=tiny|lab|full)
	@$(RUN) -m module4 compare --preset $(PRESET)

test: $(INSTALLED) ## run all tests
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -n $(WORKERS)

check: $(INSTALLED) ## formatting, lint and types
	@$(PY) -m ruff format --check
	@$(PY) -m ruff check
	@$(PY) -m mypy

fix: $(INSTALLED) ## format, and repair what lint can repair
	@$(PY) -m ruff format
	@$(PY) -m ruff check --fix

run: PRESET := tiny
run: $(INSTALLED) ## one platform (PLATFORM=python|make|airflow|kubeflow|dagster|modal PRESET=tiny)
	@$(RUN) -m module4 run $(PLATFORM) --preset $(PRESET)

lab-make: $(INSTALLED) ## lab 0: the pipeline as a Makefile
lab-airflow: $(INSTALLED) ## lab 1: the pipeline on Airflow
lab-kubeflow: $(INSTALLED) ## lab 2: the pipeline on Kubeflow Pipelines
lab-dagster: $(INSTALLED) ## lab 3: the pipeline on Dagster
lab-modal: $(INSTALLED) ## lab 4: the pipeline on Modal
lab-make lab-airflow lab-kubeflow lab-dagster lab-modal:
	@$(RUN) -m module4 run $(@:lab-%=%) --preset tiny

notebooks: $(INSTALLED) ## execute every notebook
	@$(RUN) -m pytest tests/notebooks

benchmark: $(INSTALLED) ## the data steps against their naive version
	@$(PY) -m shared.benchmark

lab: $(INSTALLED) ## open the notebooks in JupyterLab, on this machine only
	@$(RUN) -m jupyterlab --ip 127.0.0.1 --ServerApp.root_dir=notebooks --LabApp.news_url=None \
	    --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

image: ## build the container image
	docker build --file infra/Dockerfile --tag one-pipeline:dev .

clean: ## remove everything the pipelines wrote
	rm -rf workspace reports

distclean: clean ## remove the environment too
	rm -rf .venv
