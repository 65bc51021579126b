# Everything sets itself up: Python >= 3.11, make and git are enough.  `make help` lists the targets.

SUITE   ?= quick#  study to run: the name of a file in benchmark/suites/
DEVICE  ?= auto#   auto, cpu, cuda, cuda:1, ...
WORKERS ?= auto#   processes that train side by side
DATA    ?=#        folder of data sets (default: NLBENCH_DATA, else the user's cache)
CPU     ?=#        1: PyTorch without CUDA (about 1.4 GB in place of 6), when the environment is made
PYTHON  ?=#        Python to build the environment with (default: the first one >= 3.11 found)
ARGS    ?=#        further arguments: of `nlbench run` (benchmark), report, site, toy, pytest (test) or tools.gpu_check (rehearse)

VENV    := .venv
PY      := $(VENV)/bin/python
NLBENCH := $(PY) -m nlbench
SOURCES := nlbench noise baselines benchmark reports tests tools
CARD    := .card-env

# A stamp says "this pyproject.toml is installed in this folder": it changes with either, and is
# written last, so that what was interrupted is not taken for done.
KEY      := $(shell (cat pyproject.toml; pwd) | cksum | cut -d' ' -f1)
RUN_DONE := $(VENV)/.nlbench-run-$(KEY)
DEV_DONE := $(VENV)/.nlbench-dev-$(KEY)
DOCS     := .venv-docs
DOC_DONE := $(DOCS)/.nlbench-docs-$(KEY)
HALFWAY  := .venv-halfway
SIZE     := $(if $(filter-out 0,$(CPU)),about 1.4 GB: PyTorch without CUDA,about 6 GB where PyTorch brings CUDA; CPU=1: 1.4 GB)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help benchmark report leaderboard tables publish site docs toy test lint format dist bench torture rehearse setup setup-dev clean distclean FORCE

help: ## list the targets
	@echo "usage: make TARGET [SUITE=$(SUITE)] [DEVICE=$(DEVICE)] [WORKERS=$(WORKERS)] [DATA=folder] [CPU=1] [PYTHON=python3.x]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

benchmark: setup ## run SUITE (only what is not in the store yet), then write its report
	@echo "==> nlbench run $(SUITE)"
	@$(NLBENCH) run "$(SUITE)" --device "$(DEVICE)" --workers "$(WORKERS)" $(if $(DATA),--data "$(DATA)") $(ARGS)
	@echo "==> nlbench report $(SUITE)"
	@$(NLBENCH) report "$(SUITE)" --like-run $(ARGS)

report: setup ## write every table and figure of SUITE from the records into results/reports/
	@$(NLBENCH) report "$(SUITE)" $(ARGS)

leaderboard: setup ## write only the leaderboard of SUITE
	@$(NLBENCH) report "$(SUITE)" --only leaderboard $(ARGS)

tables: setup ## write only the Markdown and LaTeX tables of SUITE
	@$(NLBENCH) report "$(SUITE)" --only tables $(ARGS)

publish: setup ## put the finished study SUITE into results/published/, the only target that changes it
	@$(NLBENCH) publish "$(SUITE)"

site: setup ## write the published studies as web pages into site/ (ARGS=--own: your own runs too)
	@$(NLBENCH) site $(ARGS)

docs: $(DOC_DONE) ## write the documentation site into results/docs/ (no network but for its tools, once)
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict --quiet
	@echo "results/docs/index.html"

toy: setup ## draw what each method makes of flipped labels in the plane (seconds on a CPU)
	@$(NLBENCH) toy $(ARGS)

test: setup-dev ## run the tests on all cores
	@$(if $(DATA),NLBENCH_DATA="$(DATA)") $(PY) -m pytest -n auto --maxprocesses 8 $(ARGS)

lint: setup-dev ## check style (ruff) and types (mypy --strict)
	@echo "==> ruff";  $(PY) -m ruff check $(SOURCES) && $(PY) -m ruff format --check $(SOURCES)
	@echo "==> mypy";  $(PY) -m mypy

format: setup-dev ## put the code into the one format that lint accepts
	@$(PY) -m ruff check --fix-only $(SOURCES)
	@$(PY) -m ruff format $(SOURCES)

dist: setup-dev ## build the sdist and the wheel into dist/, and try such a wheel in an empty environment
	@rm -rf dist && $(PY) -m build --no-isolation --outdir dist .
	@$(PY) -m pytest tests/test_packaging.py $(ARGS)

bench: setup ## measure speed: noise models, the data pipeline, the report
	@$(NLBENCH) bench

torture: setup ## attack nlbench itself: broken input, full disks, kills, many callers (an hour; ARGS=--minutes 1)
	@$(NLBENCH) bench reliability $(ARGS)

rehearse: ## what the first call on a GPU machine does, on the CPU, in an environment like that machine's
	@$(or $(PYTHON),python3.12) tools/card_env.py $(CARD) --python $(or $(PYTHON),python3.12)
	@$(if $(DATA),NLBENCH_DATA="$(DATA)") $(CARD)/bin/python -m tools.gpu_check --device cpu $(ARGS)

setup: $(RUN_DONE) ## make the environment (.venv); the other targets do it themselves

setup-dev: $(DEV_DONE) ## the same with the tools that test and lint need

clean: ## remove caches and build output; keeps results/ and .venv/
	rm -rf build dist site results/docs *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find $(wildcard $(SOURCES)) -type d -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## clean, and remove the environments too
	rm -rf $(VENV) $(DOCS) $(HALFWAY) $(DOCS)-halfway $(CARD)

$(RUN_DONE):
	@$(call install,--editable '.[fast]',$(SIZE),torch)
	@touch $@

$(DEV_DONE):
	@$(call install,--editable '.[dev]',$(SIZE),torch)
	@touch $(RUN_DONE) $@

# What reads docstrings without running them needs no torch: an environment of its own.
$(DOC_DONE): VENV := $(DOCS)
$(DOC_DONE): PY := $(DOCS)/bin/python
$(DOC_DONE): HALFWAY := $(DOCS)-halfway
$(DOC_DONE):
	@$(call install,$$($(PY) -c "$(EXTRA)" docs),about 200 MB)
	@touch $@

# Stamps count for nothing if the Python they were written for is gone.
$(if $(wildcard $(PY)),,$(RUN_DONE) $(DEV_DONE): FORCE)
$(if $(wildcard $(DOCS)/bin/python),,$(DOC_DONE): FORCE)
FORCE:

# The requirements of one extra alone, as pip has no option for them.
EXTRA := import sys, tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies'][sys.argv[1]])

# With CPU=1 torch comes first, from where its makers keep the builds without CUDA. The rest finds it there.
CPU_INDEX := https://download.pytorch.org/whl/cpu

# $(call install,WHAT,SIZE,TORCH): bring .venv to the state that pyproject.toml asks for; SIZE is told before, and
# TORCH is empty where torch is no part of WHAT.
#
# An environment that an earlier call left halfway, or whose Python is gone, is made anew: repairing
# a package of which only some files were written is more trouble than unpacking it again from the
# installer's cache.  (A killed process that nobody collected still has a number, but no command
# line: it does not count as alive.)  uv is used where there is one; pip otherwise.
define install
set -eu; \
say() { printf '==> %s\n' "$$*"; }; \
stop() { printf '\nmake: %s\n' "$$*" >&2; exit 1; }; \
give_up() { rm -f $(HALFWAY); stop "$$*"; }; \
uv=$$(command -v uv || true); \
alive() { kill -0 "$$1" 2>/dev/null && { [ ! -e /proc/$$1 ] || grep -q . /proc/$$1/cmdline; }; }; \
if other=$$(cat $(HALFWAY) 2>/dev/null) && [ -n "$$other" ] && alive "$$other"; then \
  stop "process $$other is setting up $(VENV) right now: wait for it, then call make again. (If it is something else, remove $(HALFWAY).)"; \
elif [ -e $(HALFWAY) ]; then \
  say "an earlier set-up did not finish: starting $(VENV) afresh"; rm -rf $(VENV) $(HALFWAY); \
elif [ -e $(VENV) ] && ! $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
  say "the Python of $(VENV) does not work (any more): starting $(VENV) afresh"; rm -rf $(VENV); \
elif [ -e $(VENV) ] && [ -z "$$uv" ] && ! $(PY) -c 'import pip' >/dev/null 2>&1; then \
  say "$(VENV) has no pip: starting it afresh"; rm -rf $(VENV); \
fi; \
(set -C; echo $$$$ > $(HALFWAY)) 2>/dev/null || stop "cannot write $(HALFWAY) (another make?)"; \
if [ ! -e $(VENV) ]; then \
  python=; \
  for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
      python=$$candidate; break; \
    fi; \
  done; \
  [ -n "$$python" ] || give_up "no Python >= 3.11 found (tried: $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)). Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; \
  say "making $(VENV) with $$("$$python" --version) ($$(command -v "$$python"))"; \
  if [ -n "$$uv" ]; then \
    "$$uv" venv --quiet --seed --python "$$python" $(VENV); \
  elif ! "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
    give_up "$$python cannot make virtual environments: its modules venv and ensurepip are missing. On Debian and Ubuntu: apt-get install python3-venv (python3.12-venv for python3.12). Or install uv."; \
  else \
    "$$python" -m venv $(VENV); \
  fi; \
fi; \
rm -f $(VENV)/.nlbench-*; \
get() { if [ -n "$$uv" ]; then "$$uv" pip install --python $(PY) "$$@"; \
  else $(PY) -m pip install --disable-pip-version-check "$$@"; fi; }; \
say "installing with $${uv:-pip}, once ($(2); minutes)"; \
$(if $(and $(3),$(filter-out 0,$(CPU))),get 'torch>=2.6' 'torchvision>=0.21' --index-url $(CPU_INDEX);) \
get $(1); \
rm -f $(HALFWAY); \
say "set-up done"
endef
