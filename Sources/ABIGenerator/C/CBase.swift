// What every generated C header stands on: integer types and assertions.

enum CBase {
  static let text = """
    /* Integer types, assertions and the check that the compiler's target is known. */
    #ifndef XENABI_BASE_H
    #define XENABI_BASE_H

    #if !defined(__x86_64__) && !defined(__i386__)
    #error "the Xen PV interface is defined for x86_64 and i386"
    #endif

    #ifndef __ASSEMBLER__

    #include <stddef.h>
    #include <stdint.h>

    /* The assertion's text names the place in abi/; its last argument makes a name for C99. */
    #if defined(__cplusplus)
    #define XENABI_ASSERT(condition, text, name) static_assert(condition, text)
    #elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
    #define XENABI_ASSERT(condition, text, name) _Static_assert(condition, text)
    #else
    #define XENABI_ASSERT(condition, text, name) \\
        extern char xenabi_assert_##name[(condition) ? 1 : -1]
    #endif

    /* 64 bits with the alignment of 64 bits on both architectures. */
    typedef uint64_t xenabi_u64a __attribute__((aligned(8)));

    #endif /* __ASSEMBLER__ */
    """
}
