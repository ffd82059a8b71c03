# make demo                     publishes the shipped demo centre and shows what a broker sees: no root, no service
# make test                     runs the tests with whatever is installed, and says at the end what it did not run
# make test SERVICES=install    installs what the rest needs, and runs everything: Debian packages (as root), a real
#                               OpenStack and a vCenter simulator, in a cache folder of their own
# make test TESTS=tests/cli     runs some of them: a folder, a file, or options of pytest
# make check                    format, lint, types and tests
# make bench                    the benchmarks, in their short form; SERVICES=install adds those that need services

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
SERVICES ?=
TESTS ?=

ifeq ($(SERVICES),install)
require := INFOPROVIDER_REQUIRE_SERVICES=1
peers := --peers mako,python-ldap
setup := services
else ifeq ($(SERVICES),)
setup := $(VENV)/.dev
else
$(error SERVICES=$(SERVICES) is not known: leave it out or write SERVICES=install)
endif

.PHONY: demo test check bench services clean

demo: $(VENV)/.run
	@$(BIN)/infoprovider try

test: $(setup)
	@$(require) $(BIN)/pytest -q $(TESTS)

check: $(VENV)/.dev
	@tools/check

bench: $(setup)
	@$(BIN)/python benchmarks/rendering.py $(peers)
	@$(BIN)/python benchmarks/composing.py --short
	@$(BIN)/python benchmarks/validation.py --short
	@$(BIN)/python benchmarks/formats.py --short
	@$(BIN)/python benchmarks/economy.py --short
ifeq ($(SERVICES),install)
	@$(BIN)/python benchmarks/collection.py --short
	@$(BIN)/python benchmarks/vsphere.py --short
	@$(BIN)/python benchmarks/message_rate.py --short
	@$(BIN)/python benchmarks/following.py --short
endif

services: $(VENV)/.dev
	@PYTHON=$(BIN)/python tools/services
	@$(PIP) --editable '.[libldap,libvirt]'
	@PYTHON=$(PYTHON) tools/testbeds/openstack/up --install
	@tools/testbeds/vsphere/up --install

$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(PIP) --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV)
