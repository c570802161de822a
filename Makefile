# The one door: each target is a line over CMakePresets.json or a script in tools/.
#
#   T=…                   narrows test (a regex), fuzz (a name) and bench (rows, by comma)
#   PRESET=…              the preset of build and test; debug unless given
#   PREFIX=…              where install puts things
#   ROUNDS=… SECONDS_PER_ROUND=…   shorten bench
PRESET ?= debug
PREFIX ?= /usr/local
T ?=
ROUNDS ?=
SECONDS_PER_ROUND ?=

.PHONY: help deps deps-build deps-bench build test check asan tsan fuzz campaign demo bench \
  run-benchmarks lint format \
  docs install clean

help:           ## the list of targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):[^#]*## ?/  \1\t/' | expand -t 18

deps:           ## installs the Debian packages that any target needs, when one is missing
	@tools/install_deps.sh all

deps-build:
	@tools/install_deps.sh build

# A row whose peer stays missing says so.
deps-bench:
	-@tools/install_deps.sh bench

build: deps-build ## configures and builds PRESET
	cmake --preset $(PRESET) >/dev/null
	cmake --build --preset $(PRESET)

test: build     ## builds and runs all tests
	ctest --preset $(PRESET) $(if $(T),-R '$(T)')

check: deps     ## all that a change must pass before it is proposed
	tools/check.sh

asan:           ## the tests under the address and undefined-behaviour sanitizers
	$(MAKE) test PRESET=asan

tsan:           ## the tests under the thread sanitizer
	$(MAKE) test PRESET=tsan

fuzz: deps      ## runs the fuzzer T for a minute, or all of them
	tools/run_fuzzers.sh $(T)

campaign: deps-build ## a long harness: T=name [N=size] [SEED=n]
	cmake --preset release >/dev/null
	cmake --build --preset release --target campaign_$(T)
	build/release/tests/crash/campaign_$(T) $(if $(N),--size=$(N)) $(if $(SEED),--seed=$(SEED))

demo: deps-build ## puts a real data set through the engine while you watch
	cmake --preset release >/dev/null
	cmake --build --preset release --target examples/ashlar-demo
	build/release/examples/ashlar-demo

bench: deps-build deps-bench ## measures every row against its peer
	cmake --preset release >/dev/null
	cmake --build --preset release --target bench/ashlar-bench
	mkdir -p build/bench
	build/release/bench/ashlar-bench $(if $(T),--rows='$(T)') $(if $(ROUNDS),--rounds=$(ROUNDS)) \
	  $(if $(SECONDS_PER_ROUND),--seconds=$(SECONDS_PER_ROUND)) --json build/bench/results.jsonl

run-benchmarks: bench ## the same as bench

lint: deps      ## clang-tidy on the sources that changed since they were last clean
	tools/run_tidy.sh

format: deps    ## lays all C and C++ files out by .clang-format
	git ls-files '*.h' '*.cc' '*.c' | xargs -r clang-format-19 -i

docs:           ## checks links in documents, names of invariants
	python3 tools/check_docs.py .

install: deps-build ## installs library, command, headers, CMake package, pkg-config file (PREFIX)
	cmake --preset release >/dev/null
	cmake --build --preset release --target ashlar ashlar-cli
	cmake --install build/release --prefix $(PREFIX)

clean:          ## removes all that was built
	rm -rf build
