# The recipes that people and CI share. `make demo` and `make test` install what they need.

CARGO ?= cargo
SURROUNDINGS = deploy/demo/surroundings

.PHONY: help demo run test lint docs unit bench surroundings down

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
	$(CARGO) test --workspace --locked --lib --bins --tests

bench: ## Prints figures: requests per second, latencies, overhead of a build, memory, cold starts.
	@$(SURROUNDINGS) install --bench
	@$(SURROUNDINGS) up
	$(CARGO) build --workspace --bins --release --locked
	$(CARGO) bench --package asu-tests --locked

surroundings: ## Podman, a registry, miniature ImageBuilders and an upstream, all on this machine.
	@$(SURROUNDINGS) install --test
	@$(SURROUNDINGS) tools
	@$(SURROUNDINGS) up

down: ## Stops what `surroundings` and `demo` started.
	@$(SURROUNDINGS) down
