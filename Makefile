# `make` or `make help` lists the targets. Needs Python >= 3.11, make, and PyPI for the first run.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The installation is redone only when one of these files changes.
STAMP := $(VENV)/.installed-$(shell cat requirements.txt pyproject.toml | cksum | cut -d' ' -f1)
HTML := _build/html/index.html

# Two cores are shared by BLAS, numba and the kernels of the book: one thread each is fastest.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export PYDEVD_DISABLE_FILE_VALIDATION = 1
# Ensembles that several chapters share are computed once, and an interrupted build continues them.
export DISORDER_CACHE_DIR ?= $(CURDIR)/_build/ensembles

.PHONY: help book test browser lab bench picture clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed, $(PYTHON) is %d.%d: say make PYTHON=/path/to/python3.11" % sys.version_info[:2] or 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@rm -f $(VENV)/.installed-*; touch $@

book: $(STAMP)  ## execute the chapters and build the web book (warnings are errors)
	$(BIN)/jupyter-book build book --config _config.yml --toc $(CURDIR)/_toc.yml --path-output . -W -n --keep-going \
		|| { rm -rf _build/.doctrees; exit 1; }  # pages written while a target was missing must be written again
	@echo "open file://$(CURDIR)/$(HTML)"

test: $(STAMP)  ## style, types, walls, ledger, tests, doctests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not browser"

browser: $(STAMP)  ## check every built page in a headless Chromium
	$(BIN)/python -m pytest -m browser tests/house

lab: $(STAMP)  ## open the chapters as notebooks (right click on a chapter: Open With, Notebook)
	cd book && ../$(BIN)/jupyter lab

bench: $(STAMP)  ## measure speed and accuracy, rewrite book/benchmarks.json
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only --benchmark-json=_build/benchmarks.json
	$(BIN)/python tests/benchmarks/condense.py _build/benchmarks.json book/benchmarks.json

picture: book  ## take the picture of the README from the built book
	cp _build/html/_images/$$(grep -o '[0-9a-f]*[.]svg' _build/html/magnetic_alloys/discussion.html | head -1) book/_static/resistivity.svg

clean:  ## remove what was built; the installation stays
	rm -rf _build .pytest_cache .hypothesis .mypy_cache .ruff_cache
