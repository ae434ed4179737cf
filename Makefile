# A thin front to scripts/ (set-up) and CMake with Ninja (the build). `make help` lists what there is.

PREFIX ?= /usr/local
DESTDIR ?=

# OFF: without llama.cpp and its models, for machines that only talk to servers. It has a build folder of its own.
CORD_LOCAL ?= ON
# More options for CMake, as -DCORD_NATIVE=OFF.
CORD_CMAKE ?=
BUILD := $(if $(filter OFF,$(CORD_LOCAL)),build-remote,build)
ifeq ($(CORD_LOCAL),OFF)
ifneq ($(filter demo proof check bench bench-paper,$(MAKECMDGOALS)),)
$(error CORD_LOCAL=OFF has no models of its own for this; it goes with build, test, test-formats, test-vllm, install, uninstall)
endif
endif

# What the demo and the tests run on.
DEMO_MODELS := qwen2.5-coder-1.5b-instruct qwen2.5-coder-0.5b-instruct
TEST_MODELS := smollm2-135m-instruct qwen2.5-coder-0.5b-instruct
# Without this one its tests are skipped, and counted as skipped.
MORE_TEST_MODELS := gemma-3-270m

.DEFAULT_GOAL := build
.PHONY: build demo test test-formats test-vllm proof check bench bench-paper format models duckdb install uninstall clean help

build: ## the program, build/cord, and before it whatever it needs: system packages, llama.cpp; CORD_LOCAL=OFF: see docs/cluster.md
	@scripts/build.sh $(BUILD) -DCORD_LOCAL=$(CORD_LOCAL) $(CORD_CMAKE)

demo: build ## two models reason together over five problems
	@scripts/fetch.sh $(DEMO_MODELS) >/dev/null
	@scripts/demo.sh

test: build ## the tests, on real models too; what takes too long is left to `make check`
	@scripts/duckdb.sh >/dev/null || true
ifneq ($(CORD_LOCAL),OFF)
	@scripts/fetch.sh $(TEST_MODELS) >/dev/null
	@scripts/fetch.sh $(MORE_TEST_MODELS) >/dev/null || true
	@scripts/llama.sh --tools >/dev/null
endif
	@scripts/test.sh $(BUILD) -LE long

proof: build ## what takes longer than a test: all rows against transformers, servers that fail, runs killed at many moments
	@scripts/fetch.sh $(TEST_MODELS) >/dev/null
	@scripts/llama.sh --tools >/dev/null
	@scripts/proof.sh

test-formats: build ## what cord export writes, read by TRL, LLaMA-Factory, Axolotl...; gigabytes of Python, or CORD_TORCH=ENVIRONMENT that has torch
	@scripts/fetch.sh smollm2-135m-instruct >/dev/null
	@scripts/formats.sh "$(CURDIR)/$(BUILD)/cord"

test-vllm: build ## a whole search against a real vLLM: CORD_VLLM=ENVIRONMENT CORD_HF=MODEL_FOLDER make test-vllm
	@scripts/test_vllm.sh "$(CURDIR)/$(BUILD)/cord"

check: build ## the long tests; all tests under AddressSanitizer, UBSan and ThreadSanitizer (with clang), fuzzing, format, warnings, clang-tidy, layers, headers alone
	@scripts/packages.sh check
	@scripts/duckdb.sh >/dev/null || true
	@scripts/fetch.sh $(TEST_MODELS) >/dev/null
	@scripts/fetch.sh $(MORE_TEST_MODELS) >/dev/null || true
	@scripts/check.sh

bench: build ## how fast cord is here, beside llama.cpp's own benchmark and a script over HTTP; a quiet machine and five hours
	@scripts/packages.sh bench
	@scripts/fetch.sh $(DEMO_MODELS) >/dev/null
	@cmake --build build --target benchmarks
	@scripts/llama.sh --tools >/dev/null
	@bench/bench.py

bench-paper: build ## goes on with the paper's grid on GSM8K, for days if need be: CORD_GSM8K=FOLDER make bench-paper; docs/results.md
	@scripts/packages.sh bench
	@scripts/fetch.sh $(DEMO_MODELS) $(TEST_MODELS) >/dev/null
	@bench/paper.py grid --sample plain
	@bench/paper.py grid --sample hard
	@bench/paper.py tables

format: ## let clang-format rewrite the sources
	@scripts/packages.sh check
	@scripts/check.sh format

models: ## fetch the models of the recipes; `make fetch-NAME` has any other of models/manifest.tsv
	@scripts/fetch.sh $(sort $(DEMO_MODELS) $(TEST_MODELS))

duckdb: ## fetch DuckDB's library, through which problem sets that are not JSONL are read
	@scripts/duckdb.sh

fetch-%: ## fetch one model by its name in the manifest
	@scripts/fetch.sh $*

# Under sudo nothing is built: root's cache is another, and would get a llama.cpp of its own.
install: $(if $(SUDO_USER),,build) ## install program, library and all to PREFIX (/usr/local), below DESTDIR
	@[ -e $(BUILD)/cord ] || { echo 'make: nothing is built yet; first, without sudo: make' >&2; exit 1; }
	@DESTDIR='$(DESTDIR)' cmake --install $(BUILD) --prefix '$(PREFIX)'
	@sed 's|^|$(DESTDIR)|' $(BUILD)/install_manifest.txt >$(BUILD)/installed.txt
	@if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; then /sbin/ldconfig; fi

uninstall: ## remove what was installed last
	@[ -e $(BUILD)/installed.txt ] || { echo 'make: nothing was installed from here' >&2; exit 1; }
	@tr '\n' '\0' <$(BUILD)/installed.txt | xargs -0 rm -f
	@grep /cord/ $(BUILD)/installed.txt | tr '\n' '\0' | xargs -0 dirname | sort -ru | tr '\n' '\0' | \
		xargs -0 rmdir --ignore-fail-on-non-empty 2>/dev/null || true
	@rm $(BUILD)/installed.txt
	@if [ "$$(id -u)" = 0 ]; then /sbin/ldconfig; fi

clean: ## remove the build folders; llama.cpp and the models stay in the cache
	@rm -rf build build-strict build-asan build-tsan build-remote

help: ## this list
	@sed -n 's/^\([a-z%-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'
