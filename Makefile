# Every target is one command; `make test` and `make demo` set up what they need.

BIN := .venv/bin
PROTOS := $(wildcard protos/emberd/*/v1/*.proto)

STATIC := $(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

.PHONY: setup setup-compat setup-runtimes check fmt test test-host test-v2 test-runtimes soak test-compat compat-docs compat-page demo screens bench bench-quick protos wheel docs

setup:  ## .venv with emberd and its tools, and the Debian packages that sandboxes need
	@scripts/setup.sh

setup-compat: setup  ## the AWS CLI, chalice and the SDK for JavaScript, which tests/compat drives
	@scripts/setup-compat.sh

setup-runtimes: setup  ## compilers and tools that make WebAssembly, which tests/runtimes drives
	@scripts/setup-runtimes.sh

check: setup  ## everything that needs neither root nor a running emberd
	$(STATIC) && $(BIN)/pytest -q tests/unit tests/architecture

fmt: setup  ## format, and mend what can be mended
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

test: setup-compat  ## every check and every test
	$(STATIC) && $(BIN)/pytest

test-host: setup  ## real sandboxes, as root
	$(BIN)/pytest tests/host

test-v2: setup  ## the tests of real sandboxes on Debian 12's kernel and pure cgroup v2, emulated
	@scripts/test-v2.sh

test-runtimes: setup-runtimes  ## the examples in every language that makes WebAssembly, built and called, as root
	EMBERD_TEST_RUNTIMES=1 $(BIN)/pytest tests/runtimes

soak: setup  ## 10,000 sandboxes, 1,000 crashes, 1,000 copies: nothing grows, none draws alike; as root
	EMBERD_SOAK_LIVES=10000 $(BIN)/pytest tests/host/test_endurance.py
	EMBERD_SOAK_CRASHES=1000 $(BIN)/pytest tests/e2e/test_endurance.py
	EMBERD_TEST_COPIES=1000 $(BIN)/pytest tests/host/test_function_templates.py

test-compat: setup-compat  ## real AWS clients against a running emberd, as root
	$(BIN)/pytest tests/compat

compat-docs: setup-compat  ## run them, write down what they saw, make docs/compatibility.md from it
	EMBERD_RECORD_COMPATIBILITY=1 $(BIN)/pytest tests/compat && $(BIN)/python -m tests.compat.page

compat-page: setup  ## docs/compatibility.md from what was written down, when only the remarks changed
	$(BIN)/python -m tests.compat.page

demo: setup  ## start emberd, deploy an example, invoke it, show answer, log and trace, stop
	@scripts/demo.sh

screens: setup  ## take the pictures in docs/screens from a running emberd, as root
	$(BIN)/python scripts/screens.py

bench: setup  ## measure: tables, and JSON and plots in benchmarks/results
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m benchmarks

bench-quick: setup  ## show that every benchmark runs, in some minutes; its numbers mean little
	$(BIN)/python -m benchmarks --quick --output benchmarks/results/quick

protos: setup  ## generate the committed code beside the .proto files
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -I protos --python_out=protos --pyi_out=protos --grpc_python_out=protos --mypy_grpc_out=protos $(PROTOS)

wheel: setup  ## the installable package, in dist/
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

docs: setup  ## links, commands and tables in the docs agree with the code
	$(BIN)/pytest -q tests/architecture
