# Two commands: `make serve` to read the book, `make test` to prove it.
# README.md has the same as plain commands, for systems without make.

PYTHON ?=
VENV := .venv
ifeq ($(OS),Windows_NT)
  BIN := $(VENV)/Scripts
else
  BIN := $(VENV)/bin
endif
READY := $(VENV)/ready
TORCH := $(shell grep -E '^(torch|torchvision)==' requirements.txt)

# PyTorch's own index has builds without CUDA, several GB smaller. Where it cannot be
# reached, the builds that the default index has are taken.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

export NO_MKDOCS_2_WARNING := 1

.PHONY: help serve test site outputs lint bench lock clean
help:
	@echo "make serve    read the book on http://127.0.0.1:8000"
	@echo "make test     run every page, lab and check"
	@echo "make site     build the site into site/"
	@echo "make outputs  accept what the pages print now; read the diff"
	@echo "make lint     ruff only"
	@echo "make bench    time builds and reloads, and the tokenizers"
	@echo "make lock     resolve requirements.in into requirements.txt"
	@echo "make clean    remove what was generated"

$(READY): requirements.txt pyproject.toml tools/find-python.sh
	@python=$$(sh tools/find-python.sh $(PYTHON)) && "$$python" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --retries 0 --timeout 10 \
	  --extra-index-url $(TORCH_INDEX) $(TORCH)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $(READY)

serve: $(READY)
	$(BIN)/python -m mkdocs serve --dev-addr 127.0.0.1:8000

test: $(READY)
	$(BIN)/python -m pytest

site: $(READY)
	$(BIN)/python -m mkdocs build

outputs: $(READY)
	$(BIN)/python -m pytest docs --update-outputs

lint: $(READY)
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check

bench: $(READY)
	$(BIN)/python -m benchmarks.site
	$(BIN)/python -m benchmarks.tokenizers

# CUDA packages are left out: they come with torch where torch needs them
lock: $(READY)
	$(BIN)/python -m pip install --quiet uv==0.13.9
	(echo "# Made from requirements.in by \`make lock\`."; \
	 $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 \
	   --no-annotate --no-header requirements.in \
	 | grep -v -E '^(nvidia-|cuda-|triton|cffi|pycparser)'; \
	 echo "-e .") > requirements.new
	mv requirements.new requirements.txt

clean:
	rm -rf .cache site node_modules .pytest_cache .ruff_cache
	git clean -fdXq docs
