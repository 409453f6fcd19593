# The frontends in Embedded Swift behind the C interface, as an archive: for the tests here and for the
# guests.
#   REPOSITORY   from here to the top     OUTPUT  where libfrontends.a goes
#   SWIFT_FLAGS  of the machine           HOOKS   what of the adapter's C is in it
#   HOOK_FLAGS   of the C compiler for that
SWIFTC      ?= swiftc
SWIFT_FLAGS ?= -sanitize=address
IN_SWIFT    := $(wildcard $(REPOSITORY)/Sources/FrontendsSwift/*.swift)
ADAPTER     := $(REPOSITORY)/Tests/FrontendTests/swift
HOOKS       ?= hooks
# What is not built in Swift, and runs over what is.
STILL_IN_C  := xg_text.c xg_shared.c xg_control.c xg_balloon.c xg_input.c xg_screen.c

SWIFT := $(SWIFTC) $(SWIFT_FLAGS) -swift-version 6 -warnings-as-errors -parse-as-library -wmo -O -g \
         -enable-experimental-feature Embedded -I$(REPOSITORY)/Sources/CXenABI/include

$(OUTPUT)/swift-abi.o: $(wildcard $(REPOSITORY)/Sources/XenABI/Generated/*.swift)
	@mkdir -p $(OUTPUT)
	$(SWIFT) -module-name XenABI -emit-module -emit-module-path $(OUTPUT)/XenABI.swiftmodule -c -o $@ $^

$(OUTPUT)/swift-frontends.o: $(OUTPUT)/swift-abi.o $(IN_SWIFT) $(wildcard $(ADAPTER)/*)
	$(SWIFT) -I$(OUTPUT) -I$(ADAPTER) -Xcc -I$(REPOSITORY)/Sources/Frontends/include \
	  -module-name Frontends -c -o $@ $(IN_SWIFT) $(wildcard $(ADAPTER)/*.swift)

$(OUTPUT)/swift-%.o: $(ADAPTER)/%.c $(ADAPTER)/hooks.h
	@mkdir -p $(OUTPUT)
	$(CC) $(HOOK_FLAGS) -I$(ADAPTER) -c -o $@ $<

$(OUTPUT)/libfrontends.a: $(OUTPUT)/swift-abi.o $(OUTPUT)/swift-frontends.o \
    $(HOOKS:%=$(OUTPUT)/swift-%.o)
	@rm -f $@
	$(AR) rcs $@ $^
