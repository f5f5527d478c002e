# The recipes that people and CI share. `make demo` and `make test` install what they need.

CARGO ?= cargo
SURROUNDINGS = deploy/demo/surroundings
# Of each fuzz target, in seconds.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS = $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
CARGO_FUZZ = target/tools/bin/cargo-fuzz
CARGO_DENY = target/tools/bin/cargo-deny
CARGO_CYCLONEDX = target/tools/bin/cargo-cyclonedx
# What users are given.
PROGRAMS = asu asu-build asu-prepare asu-worker
# The runs of `make chaos`: a seed each, and how many seconds things break in each of them.
CHAOS_SEEDS ?= 1 2 3
CHAOS_SECONDS ?= 110
# What tests make up is the same each time: a change is to blame for a failure, not chance. `make fuzz` takes other numbers.
SEED ?= 20

.PHONY: help demo run test lint deny docs unit chaos bench fuzz audit sbom surroundings down

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

test: surroundings lint deny docs unit ## Everything CI checks.

lint: ## Formatting and clippy.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --test chaos --locked -- -D warnings

deny: $(CARGO_DENY) ## Licences, sources and owners of all dependencies: deny.toml.
	$(CARGO_DENY) check --allow license-exception-not-encountered --allow unused-wrapper bans licenses sources
	$(CARGO_DENY) --manifest-path fuzz/Cargo.toml --config deny.toml check licenses sources

docs: ## The documentation of the code, warnings denied.
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

unit: ## All tests: units, crates on real Redis and Podman, end to end.
	$(CARGO) build --workspace --bins --examples --locked
	$(CARGO) test --workspace --locked --doc
	PROPTEST_RNG_SEED=$(SEED) ASU_TEST_SEED=$(SEED) $(CARGO) test --workspace --locked --lib --bins --tests --no-fail-fast

chaos: surroundings ## Breaks everything there is under load, CHAOS_SEEDS (1 2 3), then 10,000 clients; some 9 minutes.
	$(CARGO) build --workspace --bins --locked
	$(CARGO) test --workspace --locked --test chaos --no-run
	@set -e; for seed in $(CHAOS_SEEDS); do \
		ASU_CHAOS_SEED=$$seed ASU_CHAOS_SECONDS=$(CHAOS_SECONDS) \
			$(CARGO) test --workspace --locked --test chaos -- --nocapture no_build; \
	done
	ASU_OVERLOAD_CLIENTS=10000 $(CARGO) test --workspace --locked --test chaos -- --nocapture overload alerts checker

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

audit: deny ## The same, and known weaknesses of the dependencies, if their list can be fetched.
	@if timeout 300 $(CARGO_DENY) fetch db; then \
		$(CARGO_DENY) --offline check advisories; \
	else \
		echo "audit: advisories were NOT CHECKED: the list of RustSec (github.com/rustsec/advisory-db) cannot be fetched" >&2; \
	fi

sbom: $(CARGO_CYCLONEDX) ## A bill of materials of each program, in the format of CycloneDX: target/sbom.
	@mkdir -p target/sbom
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(CARGO_CYCLONEDX) cyclonedx --quiet --format json --spec-version 1.5 --describe binaries
	@set -e; for program in $(PROGRAMS); do mv crates/$$program/$${program}_bin.cdx.json target/sbom/$$program.cdx.json; done
	@rm -f crates/*/*_bin.cdx.json
	@ls target/sbom

# Tools, not optimised: they run for seconds, and this way are made in one minute instead of several.
$(CARGO_DENY):
	CARGO_PROFILE_DEV_DEBUG=0 $(CARGO) install cargo-deny --version 0.20.2 --locked --debug --root target/tools

$(CARGO_CYCLONEDX):
	CARGO_PROFILE_DEV_DEBUG=0 $(CARGO) install cargo-cyclonedx --version 0.5.9 --locked --debug --root target/tools

surroundings: ## Podman, a registry, miniature ImageBuilders and an upstream, all on this machine.
	@$(SURROUNDINGS) install --test
	@$(SURROUNDINGS) tools
	@$(SURROUNDINGS) up

down: ## Stops what `surroundings` and `demo` started.
	@$(SURROUNDINGS) down
