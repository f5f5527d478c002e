# The recipes that people and CI share. `make demo` and `make test` install what they need.

CARGO ?= cargo
SURROUNDINGS = deploy/demo/surroundings
# Of each fuzz target, in seconds.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS = $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
CARGO_FUZZ = target/tools/bin/cargo-fuzz
# What tests make up is the same each time: a change is to blame for a failure, not chance. `make fuzz` takes other numbers.
SEED ?= 20

.PHONY: help demo run test lint docs unit bench fuzz surroundings down

help: ## Lists the recipes.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

demo: ## Builds an image on this machine, start to finish, and looks inside it.
	@$(SURROUNDINGS) install
	$(CARGO) build --workspace --bins
	@deploy/demo/demo

run: ## Keeps the all-in-one server of the demo running in the foreground.
	@$(SURROUNDINGS) install
	$(CARGO) build --workspace --bins
	@deploy/demo/demo --serve

test: surroundings lint docs unit ## Everything CI checks.

lint: ## Formatting and clippy.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

docs: ## The documentation of the code, warnings denied.
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

unit: ## All tests: units, crates on real Redis and Podman, end to end.
	$(CARGO) build --workspace --bins --examples --locked
	$(CARGO) test --workspace --locked --doc
	PROPTEST_RNG_SEED=$(SEED) ASU_TEST_SEED=$(SEED) $(CARGO) test --workspace --locked --lib --bins --tests --no-fail-fast

bench: ## Prints figures: requests per second, latencies, overhead of a build, memory, cold starts.
	@$(SURROUNDINGS) install --bench
	@$(SURROUNDINGS) up
	$(CARGO) build --workspace --bins --release --locked
	$(CARGO) bench --package asu-tests --locked

fuzz: surroundings $(CARGO_FUZZ) ## Fuzzes the parsers, FUZZ_SECONDS (60) each, and tries thousands of requests.
	@# The coverage that steers the fuzzer is an option that a stable compiler only has so. Nothing here is unsafe, so
	@# that no sanitizer is needed.
	@set -e; for target in $(FUZZ_TARGETS); do \
		mkdir -p target/fuzz/corpus/$$target; \
		RUSTC_BOOTSTRAP=1 $(CARGO_FUZZ) run --sanitizer none --target-dir target/fuzz $$target \
			target/fuzz/corpus/$$target fuzz/seeds/$$target \
			-- -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 -print_final_stats=1; \
	done
	$(CARGO) build --workspace --bins --locked
	PROPTEST_CASES=20000 $(CARGO) test --workspace --locked --test properties
	ASU_TEST_EXAMPLES=400 $(CARGO) test -p asu-tests --locked --test e2e schemathesis

$(CARGO_FUZZ):
	$(CARGO) install cargo-fuzz --version 0.13.2 --locked --root target/tools

surroundings: ## Podman, a registry, miniature ImageBuilders and an upstream, all on this machine.
	@$(SURROUNDINGS) install --test
	@$(SURROUNDINGS) tools
	@$(SURROUNDINGS) up

down: ## Stops what `surroundings` and `demo` started.
	@$(SURROUNDINGS) down
