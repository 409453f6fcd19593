# The frontends in Rust behind the C interface, as an archive: for the tests here and for the guests.
#   REPOSITORY  from here to the top     OUTPUT  where libfrontends.a goes
# No cargo and no crates. Where the target x86_64-unknown-none is not installed the host's core library
# is used; it uses SSE, which is no harm where whoever waits is called and no handler returns into it.
RUSTC      ?= rustc
XENOGRAFT  ?= $(firstword $(wildcard $(REPOSITORY)/.build/release/xenograft \
                $(REPOSITORY)/.build/debug/xenograft) xenograft)
RUST_FLAGS ?= --edition 2021 -D warnings -C opt-level=2 -C debuginfo=1 -C panic=abort \
              -C overflow-checks=on -C debug-assertions=on
IN_RUST    := $(wildcard $(REPOSITORY)/Sources/FrontendsRust/src/*.rs)
ADAPTER    := $(REPOSITORY)/Tests/FrontendTests/rust
# What is not built in Rust, and runs over what is.
STILL_IN_C := xg_text.c xg_shared.c xg_control.c xg_balloon.c xg_input.c xg_screen.c

$(OUTPUT)/xenabi/src/lib.rs: $(wildcard $(XENOGRAFT))
	@mkdir -p $(OUTPUT)
	$(XENOGRAFT) abi generate --language rust --output $(OUTPUT)/xenabi 2>$(OUTPUT)/log || \
	  { cat $(OUTPUT)/log; exit 1; }
	@touch $@

$(OUTPUT)/libxenabi.rlib: $(OUTPUT)/xenabi/src/lib.rs
	$(RUSTC) $(RUST_FLAGS) --crate-type rlib --crate-name xenabi -o $@ $<

$(OUTPUT)/libxenfront.rlib: $(OUTPUT)/libxenabi.rlib $(IN_RUST)
	$(RUSTC) $(RUST_FLAGS) --crate-type rlib --crate-name xenfront --extern xenabi=$< -o $@ \
	  $(REPOSITORY)/Sources/FrontendsRust/src/lib.rs

$(OUTPUT)/libfrontends.a: $(OUTPUT)/libxenfront.rlib $(wildcard $(ADAPTER)/*.rs)
	$(RUSTC) $(RUST_FLAGS) --crate-type staticlib --crate-name frontends -L $(OUTPUT) \
	  --extern xenabi=$(OUTPUT)/libxenabi.rlib --extern xenfront=$< -o $@ $(ADAPTER)/lib.rs
