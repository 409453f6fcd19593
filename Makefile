# `make demo` (set-up and the whole story) and `make test` (set-up and every test) are all that a
# newcomer needs. Both install missing Debian packages as root, and name them otherwise.

PREFIX  ?= /usr/local
SECONDS_PER_TARGET ?= 60
HYPERCALL_SEQUENCES ?= 10000000
MINUTES ?= 60
LINUX_MINUTES ?= 5
CONTROL_SEEDS ?= 20000

# One static runtime: the command starts faster and runs where no Swift toolchain is.
RELEASE := swift build -c release --static-swift-stdlib --product xenograft

.PHONY: all
all: setup
	.ci/build

# The hypervisor, for the bare machine.
.PHONY: rootstock
rootstock:
	@.ci/rootstock

# What no compiler checks of it: no vector register, no heap, no undefined symbol, its size.
.PHONY: rootstock-check
rootstock-check: rootstock
	@.ci/rootstock-check

# A CD that starts Rootstock with a guest by way of GRUB: .build/rootstock.iso.
.PHONY: iso
iso:
	@.ci/setup iso
	@.ci/rootstock
	@.ci/iso

# The same, booted in QEMU.
.PHONY: test-iso
test-iso:
	@.ci/setup iso
	@.ci/rootstock
	@.ci/iso --test

.PHONY: setup
setup:
	@.ci/setup build

.PHONY: demo
demo:
	@.ci/setup demo
	.ci/build
	@.ci/demo

.PHONY: test
test:
	@.ci/setup test
	$(RELEASE)
	@.ci/test

# The tests again with Debian's kernel with debugging information, which is fetched first.
.PHONY: test-kernel
test-kernel:
	@.ci/setup test
	@XENOGRAFT_TEST_VMLINUX_DBG=$$(.ci/kernel-dbg) .ci/test

# The comparisons with stock Xen under QEMU, and guests beside Linux as its domain 0: up to an hour.
# `make test` compares with what is recorded.
.PHONY: test-xen
test-xen:
	@.ci/setup test
	@.ci/images >/dev/null
	XENOGRAFT_TEST_BOOT_IMAGES=$(CURDIR)/.build/boot-images \
	XENOGRAFT_COMPARE_XEN=$$(ls $(CURDIR)/.build/boot-images/xen-hypervisor-*-amd64 | head -n 1) \
	  swift test --filter ImageInspectionTests
	$(RELEASE)
	.ci/devices --hypervisor xen store rules console block net
	.ci/generated --hypervisor xen --net
	.ci/device-matrix --hypervisor xen --short
	.ci/linux --hypervisor xen
	.ci/teaching-kernel --hypervisor xen --guide

# Each seeded defect of the worked port against its PORT.yaml: a quarter of an hour.
.PHONY: defects
defects:
	$(RELEASE)
	@.ci/defects

# Ratios against objdump, eu-addr2line and a bare length decoder, measured in one run.
.PHONY: bench
bench:
	@.ci/setup bench
	$(RELEASE)
	swift build -c release --static-swift-stdlib --product scan-bench
	@.ci/bench
	@$(MAKE) --no-print-directory bench-rootstock
	@.ci/bench-linux
	@.ci/bench-boot
	@.ci/bench-devices

# Instructions for each operation of a guest, on Rootstock and on stock Xen side by side.
.PHONY: bench-rootstock
bench-rootstock: rootstock
	@.ci/bench-hypervisors

# The same for what programs ask of Debian's Linux, and on the bare machine.
.PHONY: bench-linux
bench-linux: rootstock
	@.ci/bench-linux

# Debian's Linux from the start of the machine to its shell, on Rootstock and by xl on stock Xen.
.PHONY: bench-boot
bench-boot: rootstock
	@.ci/bench-boot

# A guest's disk and network, behind Rootstock's control domain and behind Linux on stock Xen.
.PHONY: bench-devices
bench-devices: rootstock
	@.ci/bench-devices

# Every parser of foreign bytes under libFuzzer, SECONDS_PER_TARGET each; then hostile guests against
# the hypervisor's core, HYPERCALL_SEQUENCES of eight calls, and against the control domain's core,
# CONTROL_SEEDS of a thousand steps.
.PHONY: fuzz
fuzz:
	@.ci/setup build
	@Fuzz/run $(SECONDS_PER_TARGET)
	swift build -c release --static-swift-stdlib --product hypervisor-fuzz
	.build/release/hypervisor-fuzz $(HYPERCALL_SEQUENCES)
	swift build -c release --static-swift-stdlib --product control-fuzz
	.build/release/control-fuzz $(CONTROL_SEEDS)
	@$(MAKE) -s -C Tests/FrontendTests fuzz

# Generated drivers in generated kernels, with each feature left out in turn: for the night.
.PHONY: matrix
matrix: all
	@.ci/setup test
	@.ci/device-matrix

# Every fault of the control domain against the frontends, and hostile frontends against it: minutes.
.PHONY: hostile
hostile: all
	@.ci/setup test
	@.ci/hostile-backend
	@.ci/hostile-frontend

# Debian's kernel, GRUB and a whole Debian on Rootstock: half an hour; LINUX_MINUTES for each run under load.
.PHONY: linux
linux: all
	@.ci/setup test
	@.ci/linux shell reboot halt crash ring vcpus grub
	@.ci/linux-save
	@.ci/linux-module
	@MINUTES=$(LINUX_MINUTES) .ci/linux-long

# The conformance guests in a loop, MINUTES long.
.PHONY: soak
soak: all
	@.ci/setup test
	@.ci/soak $(MINUTES)

.PHONY: lint
lint:
	swift format lint --strict --recursive Package.swift Sources Tests

# Writes the generated files anew after a change in rules/ or abi/.
.PHONY: generate
generate: all
	.build/release/xenograft rules generate
	.build/release/xenograft abi check --write
	.build/release/xenograft templates generate

# The manual pages of all commands: .build/man.
.PHONY: man
man: all
	@rm -rf .build/man
	.build/release/xenograft manual --output .build/man

.PHONY: install
install: man
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -d $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -d $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 755 .build/release/xenograft $(DESTDIR)$(PREFIX)/bin/xenograft
	install -m 644 .build/release/rootstock $(DESTDIR)$(PREFIX)/bin/rootstock
	install -m 644 .build/release/controldomain $(DESTDIR)$(PREFIX)/bin/controldomain
	install -m 644 .build/release/controldomain-faulty $(DESTDIR)$(PREFIX)/bin/controldomain-faulty
	install -m 644 .build/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	.build/release/xenograft --generate-completion-script bash \
	  > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/xenograft
	.build/release/xenograft --generate-completion-script zsh \
	  > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_xenograft
	.build/release/xenograft --generate-completion-script fish \
	  > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/xenograft.fish

.PHONY: clean
clean:
	rm -rf .build .build-metal artifacts
