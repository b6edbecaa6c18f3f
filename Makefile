# One target for each thing that a reader wants to do. `make` alone lists them.
# Works with GNU make 3.81 (the one that macOS ships) and later.

VENV     ?= .venv
PRESET   ?= lab
PLATFORM ?= python
WORKERS  ?= 2
# PYTHON=/path/to/python chooses the interpreter; without it, the first suitable one on PATH is used.
PYTHON   ?=

EMPTY     :=
SPACE     := $(EMPTY) $(EMPTY)
PY        := "$(VENV)/bin/python"
INSTALLED := $(subst $(SPACE),\ ,$(VENV))/.installed
# Lab 0 runs make itself, which must not inherit this make's flags, job server or PRESET=… overrides.
RUN       := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(PY)

# Switches and options that cost something count only if they are typed after `make`, not if a shell exports them.
typed  = $(if $(findstring command,$(origin $(1))),$(2))
switch = $(if $(filter 1,$(call typed,$(1),$($(1)))),$(2))

# No telemetry. The locked versions of Airflow, Kubeflow Pipelines and Modal have no such switch.
export DAGSTER_DISABLE_TELEMETRY := yes
export WANDB_ERROR_REPORTING := false

.DEFAULT_GOAL := help
START_HERE := setup doctor lab compare run watch
LABS       := lab-make lab-airflow lab-kubeflow lab-dagster lab-modal airflow-trigger airflow-backfill airflow-monitor \
              airflow-break kubeflow-traps kubeflow-lineage kubeflow-compile kubeflow-submit
WEB_PAGES  := ui-airflow ui-dagster
CONTAINERS := image up status logs down cluster-up cluster-status cluster-down
COURSE     := progress check-platform slides grade site notebooks judge lessons
MAINTAIN   := test check fix benchmark benchmark-reference lock pictures clean distclean help
.PHONY: $(START_HERE) $(LABS) $(WEB_PAGES) $(CONTAINERS) $(COURSE) $(MAINTAIN)

help: ## list these targets
	@$(call list,Start here,$(START_HERE))
	@$(call list,Labs,$(LABS))
	@$(call list,Web pages,$(WEB_PAGES))
	@$(call list,Containers,$(CONTAINERS))
	@$(call list,Course,$(COURSE))
	@$(call list,For maintainers,$(MAINTAIN))

list = awk -F ':.*\#\# ' -v title='$(1)' -v names='$(2)' '/^[a-z-]+:.*\#\# / { text[$$1] = $$2 } \
    END { print title; for (i = 1; i <= split(names, name, " "); i++) printf "  make %-19s %s\n", name[i], text[name[i]] }' Makefile

setup: $(INSTALLED) ## install everything into .venv (conda: make setup VENV=$CONDA_PREFIX)
	@VENV="$(VENV)" $(PY) infra/doctor.py --repair

$(INSTALLED): requirements.lock pyproject.toml
	@VENV="$(VENV)" PYTHON="$(PYTHON)" sh infra/setup.sh
	@touch "$@"

doctor: ## check this machine and the installation
	@python=$$(PYTHON="$(PYTHON)" sh infra/find-python.sh --any) && VENV="$(VENV)" "$$python" infra/doctor.py

EXPORT := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q
lock: ## resolve requirements.lock again, and export the images' parts of it (UPGRADE=1: to the newest versions)
	@PATH="$$PATH:$(VENV)/bin"; command -v uv >/dev/null || { echo "lock: uv not found; run make setup first" >&2; exit 1; }; \
	uv pip compile pyproject.toml --all-extras --group build --group components $(EXPORT) $(call switch,UPGRADE,--upgrade) -o requirements.lock && \
	part() { name=$$1; shift; uv pip compile "$$@" --constraints requirements.lock --no-annotate $(EXPORT) -o infra/requirements/$$name.txt; } && \
	part build --group build && part components --group components --no-deps && part steps pyproject.toml && \
	part services pyproject.toml --extra platforms --extra services --extra course

compare: $(INSTALLED) ## run the training pipeline on every platform, print one table (PRESET=tiny|lab|full)
	@$(RUN) -m module4 compare --preset "$(PRESET)"

test: $(INSTALLED) ## run all tests, or some (TESTS=tests/unit), on more cores (WORKERS=4)
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -n "$(WORKERS)" --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(INSTALLED) ## check formatting, lint and types
	@$(PY) -m ruff format --check
	@$(PY) -m ruff check
	@$(PY) -m mypy

fix: $(INSTALLED) ## format, and fix what lint can fix
	@$(PY) -m ruff format
	@$(PY) -m ruff check --fix

run: PRESET := tiny
run: $(INSTALLED) ## run the pipeline on one platform (PLATFORM=airflow PRESET=tiny; BREAK=train:fail breaks a step)
	@$(RUN) -m module4 run "$(PLATFORM)" --preset "$(PRESET)" $(if $(call typed,BREAK,$(BREAK)),--break "$(BREAK)")

watch: $(INSTALLED) ## play through 2013: drift, performance and retraining week by week, one picture (PRESET=lab)
	@$(RUN) -m module4 watch --preset "$(PRESET)"

lab-make: $(INSTALLED) ## lab 0: the pipeline as a Makefile
lab-airflow: $(INSTALLED) ## lab 1: the pipeline on Airflow
lab-dagster: $(INSTALLED) ## lab 3: the pipeline on Dagster
lab-make lab-airflow lab-dagster:
	@$(RUN) -m module4 run $(@:lab-%=%) --preset tiny

PIPELINE ?= training
RUNNER   ?= process
lab-kubeflow: PRESET := tiny
lab-kubeflow: $(INSTALLED) ## lab 2: Kubeflow (PIPELINE=training|inference|monitoring DAY=2013-03-12 RUNNER=docker)
	@$(RUN) -m module4.lab2_kubeflow run $(PIPELINE) --preset "$(PRESET)" --runner $(RUNNER) $(if $(call typed,DAY,$(DAY)),--day "$(DAY)")

# The commands after ui-airflow talk to the Airflow that it started.
AIRFLOW := $(RUN) -m module4.lab1_airflow

ui-airflow: PORT ?= 8080
ui-airflow: $(INSTALLED) ## start Airflow with its scheduler and UI, on this machine only (PORT=8080 STEP_TIMEOUT=900 PASSWORD=1)
	@STEP_TIMEOUT="$(STEP_TIMEOUT)" exec $(AIRFLOW) ui --port "$(PORT)" $(call switch,PASSWORD,--password)
airflow-trigger: $(INSTALLED) ## train in the running Airflow (PRESET=tiny DAG=training_in_pods)
	@$(AIRFLOW) trigger --preset "$(PRESET)" $(if $(call typed,DAG,$(DAG)),--dag "$(DAG)")
airflow-backfill: $(INSTALLED) ## predict two weeks in the running Airflow (FROM=2013-03-11 TO=2013-03-24)
	@$(AIRFLOW) backfill "$(FROM)" "$(TO)"
airflow-monitor: $(INSTALLED) ## check the model weekly in the running Airflow (FROM=2013-04-15 TO=2013-05-06)
	@$(AIRFLOW) monitor "$(FROM)" "$(TO)"
airflow-break: $(INSTALLED) ## break a training run in the running Airflow (BREAK=train:fail)
	@$(AIRFLOW) break "$(BREAK)"
airflow-trigger: PRESET := tiny
airflow-backfill: FROM := 2013-03-11
airflow-backfill: TO := 2013-03-24
airflow-monitor: FROM := 2013-04-15
airflow-monitor: TO := 2013-05-06
airflow-break: BREAK := train:fail

kubeflow-traps: $(INSTALLED) ## fall into two traps of Kubeflow Pipelines: a stale cache and an untaken branch
	@$(RUN) -m module4.lab2_kubeflow traps

kubeflow-lineage: $(INSTALLED) ## show which data produced which model in the last local Kubeflow run
	@$(RUN) -m module4.lab2_kubeflow lineage

kubeflow-compile: $(INSTALLED) ## write the Kubeflow pipelines as the files that a cluster gets
	@$(RUN) -m module4.lab2_kubeflow compile

KUBEFLOW_FILE ?= module4/lab2_kubeflow/compiled/training-cluster.yaml
WHAT          ?= run
kubeflow-submit: PRESET := tiny
kubeflow-submit: $(INSTALLED) ## send a compiled pipeline to the cluster or HOST=URL (WHAT=upload|run|schedule WAIT=1 KUBEFLOW_FILE=…)
	@$(RUN) -m module4.lab2_kubeflow submit --host "$(HOST)" $(CLUSTER_OPTIONS) --what "$(WHAT)" --file "$(KUBEFLOW_FILE)" \
	  --preset "$(PRESET)" $(if $(call typed,DAY,$(DAY)),--day "$(DAY)") $(call switch,WAIT,--wait)

ui-dagster: PORT ?= 3000
ui-dagster: $(INSTALLED) ## start Dagster's web pages and daemon, on this machine only, with a run to look at (PORT=3000 READ_ONLY=1)
	@$(RUN) -m module4.lab3_dagster ui --port "$(PORT)" $(call switch,READ_ONLY,--read-only)

# The cloud costs money: anything but exactly CLOUD=1 is refused when make starts, before anything runs.
CLOUD_OPTION := $(if $(call typed,CLOUD,x),$(if $(subst x1x,,x$(CLOUD)x),$(error CLOUD=$(CLOUD): write CLOUD=1 for \
               Modal's cloud, or leave it out to run on this machine),--cloud))
lab-modal: PRESET := tiny
lab-modal: $(INSTALLED) ## lab 4: the pipeline on Modal (PRESET=tiny GPU=L40S; CLOUD=1: in Modal's cloud, with your token)
	@$(RUN) -m module4.lab4_modal run --preset "$(PRESET)" $(if $(call typed,GPU,$(GPU)),--gpu "$(GPU)") $(CLOUD_OPTION)

check-platform: $(INSTALLED) ## judge a platform of your own (FOLDER=my-platform)
	@$(RUN) -m module4 check-platform "$(or $(FOLDER),$(error check-platform: name the folder, FOLDER=my-platform))"

notebooks: $(INSTALLED) ## execute every lesson, and check its exercises
	@$(RUN) -m pytest -n "$(WORKERS)" tests/notebooks notebooks

judge: $(INSTALLED) ## try right and wrong answers against the checks (LESSONS="00_start 04_dagster")
	@$(RUN) -m notebooks.tools.judge --workers "$(WORKERS)" $(LESSONS)

lessons: $(INSTALLED) ## build the notebooks from notebooks/source (MEASURE=1: measure their running times first)
	@$(call switch,MEASURE,$(RUN) -m notebooks.tools.execute --measure)
	@$(PY) -m notebooks.tools.build

site: $(INSTALLED) ## execute the lessons and build the course site in reports/site
	@$(RUN) -m notebooks.tools.execute --workers "$(WORKERS)"
	@$(PY) -m notebooks.tools.publish

slides: $(INSTALLED) ## make slides with presenter's notes in reports/slides, a file per lesson (LESSONS="01_why 02_airflow")
	@$(RUN) -m notebooks.tools.slides $(LESSONS)

grade: $(INSTALLED) ## grade submitted lessons (FOLDER=submissions LESSONS="01_why 02_airflow")
	@$(RUN) -m notebooks.tools.grade --workers "$(WORKERS)" "$(FOLDER)" $(LESSONS)

# Stop it with Ctrl-C and type it again: it continues.
benchmark: $(INSTALLED) ## measure the platforms (PRESET=lab ONLY=overhead,faults QUICK=1 LARGE=1 FRESH=1)
	@$(RUN) -m module4.benchmark run --preset "$(PRESET)" $(call switch,QUICK,--quick) $(call switch,LARGE,--large) $(call switch,FRESH,--fresh) \
	    $(if $(call typed,ONLY,$(ONLY)),--only "$(ONLY)")
benchmark-reference: $(INSTALLED) ## fill CHOOSING.md, README and lesson 8 from a report (REPORT=reports/benchmark-lab.json)
	@$(RUN) -m module4.benchmark publish $(if $(call typed,REPORT,$(REPORT)),--report "$(REPORT)")
	@$(PY) -m notebooks.tools.pictures $$(cd module4/images && ls benchmark-*.png)

lab: PORT ?= 8888
lab: $(INSTALLED) ## open your copies of the lessons in JupyterLab, on this machine only (PORT=8888 BASE_URL=/user/me/proxy/…)
	@exec $(RUN) -m infra.processes $(PY) -m notebooks.tools.lab --port "$(PORT)" --base-url "$(BASE_URL)"

progress: $(INSTALLED) ## show what you have done in each lesson
	@$(PY) -m notebooks.tools.progress

# These need Python, but not the packages: everything else is in the images.
BARE = python=$$(PYTHON="$(PYTHON)" sh infra/find-python.sh) && exec "$$python" -m

image: ## build the container images, print their sizes (BASE_IMAGE=… ARCH=arm64 CA=certificates.pem UV_CONFIG=uv.toml)
	@$(BARE) infra.image --base "$(BASE_IMAGE)" --arch "$(ARCH)" --ca "$(CA)" --index "$(UV_CONFIG)"

up: ## start services in containers (PROFILE="airflow storage"; LAUNCHER=docker: a container per Dagster run)
	@$(BARE) infra.stack up --profile "$(PROFILE)" $(if $(LAUNCHER),--launcher "$(LAUNCHER)")
down: ## stop the services (VOLUMES=1: and remove their data)
	@$(BARE) infra.stack down $(call switch,VOLUMES,--volumes)
logs: ## follow what the services print
	@$(BARE) infra.stack logs
status: ## show which services run, where, and their passwords
	@$(BARE) infra.stack status

pictures: $(INSTALLED) ## take the documents' pictures again: of the web pages, with Chromium, and of the year
	@PICTURES=1 OMP_NUM_THREADS=1 $(RUN) -m pytest -q tests/browser/test_airflow.py tests/browser/test_dagster.py
	@$(MAKE) watch PRESET=lab
	@cp "$(or $(PIPELINE_WORKSPACE),.)/reports/watch-lab.png" module4/images/
	@$(RUN) -m module4.benchmark fill
	@$(PY) -m notebooks.tools.pictures watch-lab.png $$(cd module4/images && ls benchmark-*.png)

CLUSTER_OPTIONS = $(if $(KUBECONTEXT),--context "$(KUBECONTEXT)")
cluster-up: ## start a Kubernetes for the labs (AIRFLOW=1 DAGSTER=1 KUBEFLOW=1; your own: KUBECONTEXT=… REGISTRY=…)
	@$(BARE) infra.cluster up $(CLUSTER_OPTIONS) $(if $(REGISTRY),--registry "$(REGISTRY)") \
	  $(foreach platform,AIRFLOW DAGSTER KUBEFLOW,$(call switch,$(platform),--$(shell echo $(platform) | tr A-Z a-z)))
cluster-status: ## show what is in it
	@$(BARE) infra.cluster status $(CLUSTER_OPTIONS)
cluster-down: ## delete it (with KUBECONTEXT=…: only the namespace)
	@$(BARE) infra.cluster down $(CLUSTER_OPTIONS)

# Of a folder that PIPELINE_WORKSPACE names, only what is known to be ours: it may hold other things too.
OURS := airflow benchmark compare dagster dagster-executors jupyter kubeflow kubeflow-traps logs make modal notebooks \
        python reports wandb watch
clean: ## remove everything that runs wrote
	rm -rf workspace reports
	@folder=$$PIPELINE_WORKSPACE; case $$folder in "~/"*) folder=$$HOME/$${folder#"~/"};; esac; \
	[ ! -d "$$folder" ] || { cd "$$folder" && \
	case $$PWD in "$$HOME" | /) echo "clean: PIPELINE_WORKSPACE is $$PWD; remove there what you do not need" >&2; exit 1;; \
	*) echo "rm -rf the pipelines' folders in $$PWD" && rm -rf $(OURS);; esac; }

distclean: clean ## remove the environment too
	rm -rf .venv
