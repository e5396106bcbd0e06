# Two commands matter: `make app` and `make test`. All are safe to repeat.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCALE := app/locale
CATALOGUE := $(LOCALE)/zh_CN/LC_MESSAGES/messages.po
PORT ?= 8501

.PHONY: app install install-dev install-cluster scheduler worker chromium compiled lint format test bench messages pictures clean

app: install  ## start the app on http://localhost:8501
	$(BIN)/streamlit run app/main.py --server.port $(PORT)

scheduler: install-cluster  ## where app servers and workers of a lab meet, on port 8786
	$(BIN)/python -m core scheduler

worker: install-cluster  ## trains for the lab: make worker SCHEDULER=tcp://host:8786
	$(BIN)/python -m core worker $(SCHEDULER)

install: $(VENV)/installed  ## what the app needs
install-dev: $(VENV)/installed-dev  ## and what the tests need
install-cluster: $(VENV)/installed-cluster  ## what training on several machines needs

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Torchscape needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.12" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# A stamp holds the requirements that are installed: equal text, nothing to do.
$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	@cmp -s requirements.txt $@ || $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@cp requirements.txt $@

$(VENV)/installed-dev: requirements.txt requirements-cluster.txt requirements-dev.txt | $(VENV)/bin/python
	@cat $^ | cmp -s - $@ || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-dev.txt
	@cp requirements.txt $(VENV)/installed
	@cat $^ > $@

$(VENV)/installed-cluster: requirements.txt requirements-cluster.txt | $(VENV)/bin/python
	@cat $^ | cmp -s - $@ || $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-cluster.txt
	@cat $^ > $@

# What pip would do on one core, and while nothing else is done; some packages hold files that are not for this Python.
compiled: install-dev
	@cmp -s $(VENV)/installed-dev $(VENV)/compiled || $(BIN)/python -m compileall -qq $(VENV)/lib || true
	@cp $(VENV)/installed-dev $(VENV)/compiled

chromium: install-dev  ## a browser for the tests, where there is none
	$(BIN)/python -m tests.browser.chromium

lint: install-dev  ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One thread each, because there are as many test processes as cores, and threads that wait for a core do it awake.
# What one process has compiled the next one finds, also where the environment says that nothing should be written.
test: install-dev  ## everything that must hold
	$(MAKE) --jobs=2 chromium compiled lint
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile

bench: install-dev chromium  ## the figures of the README, measured on this machine
	$(BIN)/python -m benchmarks

messages: install-dev  ## collect the sentences of the code into the catalogue
	$(BIN)/pybabel -q extract -F $(LOCALE)/babel.cfg -k _ -k N_ -k ngettext:1,2 -k InputError --no-location --sort-output --project=Torchscape --version=0.1 -o $(LOCALE)/messages.pot .
	@test -f $(CATALOGUE) || $(BIN)/pybabel -q init -i $(LOCALE)/messages.pot -d $(LOCALE) -l zh_CN
	$(BIN)/pybabel -q update -i $(LOCALE)/messages.pot -d $(LOCALE) --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap

pictures: install-dev chromium  ## the pictures of the home page and the README, from the running app
	$(BIN)/python -m tests.browser.pictures

clean:
	rm -rf $(VENV)
