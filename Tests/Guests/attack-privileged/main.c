/*
 * test: attack-privileged
 * Instructions of ring 0 from user mode and, where no hypervisor emulates them, from the kernel:
 * each must fault. Descriptor table registers, task registers, machine registers, virtualization,
 * returns to other rings.
 */
#include "guest.h"

/* Some have other encodings in 32-bit code, or none that its assembler knows. */
#ifdef __x86_64__
#define SWAPGS "swapgs"
#define SYSRET "sysretq"
#define SYSEXIT "sysexitq"
#define MOV_TO_CR8 "mov %rax, %cr8"
#else
#define SWAPGS ".byte 0x0f, 0x01, 0xf8"
#define SYSRET "sysretl"
#define SYSEXIT "sysexitl"
/* `lock mov %eax, %cr0`, as processors of AMD have it. */
#define MOV_TO_CR8 ".byte 0xf0, 0x0f, 0x22, 0xc0"
#endif

#define CASES(X)                                                                                   \
    X(lgdt, "lgdt (%" SP ")") X(lidt, "lidt (%" SP ")") X(lldt, "lldt %ax") X(ltr, "ltr %ax")      \
    X(lmsw, "lmsw %ax") X(invd, "invd") X(swapgs, SWAPGS) X(sysret, SYSRET)                        \
    X(sysexit, SYSEXIT) X(rsm, "rsm") X(vmcall, "vmcall") X(vmlaunch, "vmlaunch")                  \
    X(vmxoff, "vmxoff") X(vmrun, "vmrun") X(vmmcall, "vmmcall") X(stgi, "stgi")                    \
    X(clgi, "clgi") X(invlpga, "invlpga") X(monitor, "monitor") X(mwait, "mwait")                  \
    X(xsaves, "xsaves (%" SP ")") X(wrmsr, "wrmsr") X(cr8, MOV_TO_CR8) X(clac, "clac")             \
    X(stac, "stac")

#define USER(name, text) USER_CODE(user_##name, text "; " SYSTEM_CALL "; ud2");
CASES(USER)

void test_main(void)
{
#define ATTEMPT(name, text)                                                                \
    {                                                                                      \
        struct trap_frame frame = user_frame(user_##name);                                 \
        user_run(&frame);                                                                  \
        print("user, ");                                                                   \
        faulted(#name, frame.vector == ENTRY_SYSCALL ? NO_FAULT : FAULT(frame.vector, 0)); \
    }
    CASES(ATTEMPT)
    static uint8_t junk[64];
    faulted("lgdt", TRY("lgdt %0", : : "m"(junk)));
    faulted("lidt", TRY("lidt %0", : : "m"(junk)));
    faulted("lldt", TRY("lldt %w0", : : "r"(0xe010)));
    faulted("ltr", TRY("ltr %w0", : : "r"(0xe040)));
    faulted("swapgs", TRY(SWAPGS, :));
    faulted("rsm", TRY("rsm", :));
    faulted("vmlaunch", TRY("vmlaunch", :));
    faulted("vmrun", TRY("vmrun", : : "a"(0)));
    faulted("clgi", TRY("clgi", :));
    faulted("sysret", TRY(SYSRET, : : "c"(HYPERVISOR_ADDRESS)));
    faulted("sysexit", TRY(SYSEXIT, : : "c"(0), "d"(0)));
}
