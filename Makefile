# memlens: the commands a contributor types. Each is a plain cargo command or a script of scripts/.

CARGO ?= cargo

.PHONY: help demo test check bench guard fuzz soak

help:
	@echo "make demo   start four embedded nodes under load and open the dashboard"
	@echo "make test   install what the tests need, build, run everything"
	@echo "make check  format, lints, documentation, layers, dependencies"
	@echo "make bench  measure the client beside others and beside floors"
	@echo "make guard  count what an operation costs, and fail if that has risen"
	@echo "make fuzz   feed parsers and the pipeline anything, a minute each"
	@echo "make soak   ten million operations under ten thousand faults, every answer checked"

demo:
	$(CARGO) run --release -p memlens-dashboard -- --demo

test:
	scripts/setup-test-deps
	$(CARGO) test --workspace --all-features

check:
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --all-features
	scripts/check-layers --self-test
	scripts/check-layers
	scripts/check-dependencies

bench:
	$(CARGO) bench -p memlens --bench ring
	$(CARGO) run --release --manifest-path bench/Cargo.toml -- time
	$(CARGO) run --release --manifest-path bench/Cargo.toml -- time --servers 3
	$(CARGO) run --release --manifest-path bench/Cargo.toml -- latency
	$(CARGO) run --release --manifest-path bench/Cargo.toml -- count
	$(CARGO) run --release --manifest-path bench/Cargo.toml -- memory
	$(CARGO) run --release --manifest-path bench/Cargo.toml -- scale

guard:
	scripts/setup-test-deps
	$(CARGO) run --release --no-default-features --manifest-path bench/Cargo.toml -- guard

fuzz:
	scripts/fuzz

soak:
	$(CARGO) build --release -p memlens-tests --bin soak
	target/release/soak oracle
	target/release/soak outages
	target/release/soak memory
