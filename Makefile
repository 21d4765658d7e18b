# Two commands: `make serve` to read the book, `make test` to prove it.
# README.md has the same as plain commands, for systems without make.

PYTHON ?=
VENV := .venv
ifeq ($(OS),Windows_NT)
  BIN := $(VENV)/Scripts
else
  BIN := $(VENV)/bin
endif
READING := $(VENV)/ready-to-read
TESTING := $(VENV)/ready-to-test
TORCH := $(shell grep -E '^(torch|torchvision)==' requirements.txt)

# PyTorch's own index has builds without CUDA, several GB smaller. Where it cannot be
# reached, the builds that the default index has are taken. pip can fall back so, uv
# cannot: torch and torchvision are installed by pip, and uv keeps what it finds.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

# Python compiles what it imports when it first does so, which is a third of what is
# installed. Where it is told not to write that down, the installer compiles everything.
COMPILES_LATER := $(if $(PYTHONDONTWRITEBYTECODE),,yes)
PIP := $(BIN)/python -m pip install --quiet $(if $(COMPILES_LATER),--no-compile)

# uv installs the rest several times faster than pip; `make UV= serve` does without
UV := $(shell command -v uv 2>/dev/null)
ifneq ($(UV),)
  INSTALL := "$(UV)" pip install --quiet --python $(BIN)/python \
    $(if $(COMPILES_LATER),,--compile-bytecode)
else
  INSTALL := $(PIP)
endif

export NO_MKDOCS_2_WARNING := 1

.PHONY: help serve test test-portable site book daybook.zip daybook.pdf outputs check lint bench lock clean
help:
	@echo "make serve          read the book on http://127.0.0.1:8000"
	@echo "make test           run every page, lab and check"
	@echo "make outputs        accept what the pages print now; read the diff"
	@echo "make check          lint, types, the site, and tests of what has changed"
	@echo "make lint           style, spelling and types, in seconds"
	@echo "make site           build the site into site/"
	@echo "make book           make daybook.zip and daybook.pdf of the built site"
	@echo "make test-portable  run the tests as on other processors"
	@echo "make bench          time builds and reloads, and the tokenizers"
	@echo "make lock           resolve requirements*.in into requirements*.txt"
	@echo "make clean          remove what was generated"

$(READING): requirements.txt pyproject.toml tools/find-python.sh
	@python=$$(sh tools/find-python.sh $(PYTHON)) && "$$python" -m venv --clear $(VENV)
	@echo "Installing what reading needs, once; it takes a few minutes."
	$(PIP) --no-deps --retries 0 --timeout 10 \
	  --extra-index-url $(TORCH_INDEX) $(TORCH)
	$(INSTALL) -r requirements.txt
	@touch $(READING)

$(TESTING): $(READING) requirements-test.txt
	@echo "Installing what the tests need, once."
	$(INSTALL) -r requirements-test.txt
	@touch $(TESTING)

serve: $(READING)
	$(BIN)/python -m literate serve

site: $(READING)
	$(BIN)/python -m literate build

book: daybook.zip daybook.pdf

daybook.zip: $(READING)
	$(BIN)/python -m literate book --zip daybook.zip

daybook.pdf: $(TESTING)
	$(BIN)/python -m literate book --pdf daybook.pdf

outputs: $(READING)
	$(BIN)/python -m pytest docs --update-outputs

test: $(TESTING)
	$(BIN)/python -m pytest -n auto

test-portable: $(TESTING)
	$(BIN)/python -m tools.portable $(PORTABLE)

check: $(TESTING)
	$(BIN)/python -m literate check

lint: $(TESTING)
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m codespell_lib
	$(BIN)/python -m mypy

bench: $(TESTING)
	$(BIN)/python -m benchmarks.book
	$(BIN)/python -m benchmarks.tokenizers

lock: $(READING)
	$(BIN)/python -m pip install --quiet uv==0.13.9
	$(BIN)/python -m tools.lock

clean:
	rm -rf .cache site node_modules .pytest_cache .ruff_cache .mypy_cache
