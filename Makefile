# make demo   install, then take a prompt to a trained, evaluated, saved model
# make test   everything that CI runs, the browser excepted
# make lab    the walkthrough in JupyterLab
# make llama  a language model behind an OpenAI-compatible address of this machine
# The first of them installs into .venv; from then on each starts at once.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BENCHES := $(filter-out make_%,$(basename $(notdir $(sort $(wildcard bench/*.py)))))

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHONUTF8 := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test test-browser test-oldest lab llama bench record readme export install
.DELETE_ON_ERROR:

demo: $(READY)
	@$(BIN)/p2m demo

lab: $(READY)
	@$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) nbs/tutorials/01_walkthrough.ipynb

# It says where it answers and how to use it. Ctrl-C stops it.
llama: $(READY)
	@$(BIN)/python examples/llama.py

# From the quickest check to the slowest; the first that fails stops the rest. Nothing here may need a hub.
test test-browser test-oldest: export HF_HUB_OFFLINE := 1
test test-browser test-oldest: export HF_DATASETS_OFFLINE := 1
test test-browser test-oldest: export JUPYTER_PLATFORM_DIRS := 1
test: $(READY)
	@echo "== modules, README and notebooks in sync"
	@$(BIN)/python .ci/tidy.py --check
	@echo "== library notebooks"
	@OMP_NUM_THREADS=1 $(BIN)/nbdev-test nbs --skip-folder-re '^[_.]|tutorials' --n-workers 2 --timing \
	  --cell-timing-min 0.5 > .venv/cells.txt || { cat .venv/cells.txt; exit 1; }
	@grep -v ': [0-9.]*s$$' .venv/cells.txt
	@echo "== slowest cells"; grep ': [0-9.]*s$$' .venv/cells.txt | sort -t: -k3 -gr | head -10
	@echo "== tests and tutorials"
	@$(BIN)/python -m pytest tests --nbmake nbs/tutorials --nbmake-timeout=300 -m "not browser" --durations=10 -q

test-browser: $(READY)
	@$(BIN)/python -m pytest tests -m browser --durations=10 -q

# What a hosted notebook has, and the oldest versions that pyproject.toml allows, in an environment of their own.
test-oldest: $(READY)
	@$(BIN)/python .ci/oldest.py

bench: $(BENCHES:%=bench-%)
bench-%: bench/%.py $(READY)
	@$(BIN)/python $<

# Ask the real teachers again for whatever the notebooks replay: those of nbs/ the one in process, the tutorial the one
# of `make llama`, whose answers differ each time, so its outputs are written anew.
record: $(READY)
	@rm -f nbs/calls.jsonl examples/reviews/calls.jsonl
	@for n in $$(grep -l "replay('calls.jsonl')" nbs/*.ipynb); do P2M_RECORD=1 $(BIN)/nbdev-test $$n || exit 1; done
	@P2M_RECORD=1 $(BIN)/python examples/llama.py \
	  $(BIN)/python -m pytest -q --nbmake --overwrite --nbmake-timeout=600 nbs/tutorials/02_generation.ipynb
	@$(BIN)/python .ci/tidy.py notebooks

readme: $(READY)
	@$(BIN)/python .ci/tidy.py readme

# After a change to a notebook: modules, README, docs/api.md, and outputs without what differs from run to run.
export: $(READY)
	@$(BIN)/python .ci/tidy.py

install: $(READY)
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  f"p2m_nb needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}: name another, as in make PYTHON=python3.12")'
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt torch
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev,lab,llama,serve,demo]'
	$(BIN)/p2m weights
	@touch $@
