/*
 * test: attack-privileged
 * Instructions of ring 0 from user mode and, where no hypervisor emulates them, from the kernel:
 * each must fault. Descriptor table registers, task registers, machine registers, virtualization,
 * returns to other rings.
 */
#include "guest.h"

#define CASES(X)                                                                                   \
    X(lgdt, "lgdt (%rsp)") X(lidt, "lidt (%rsp)") X(lldt, "lldt %ax") X(ltr, "ltr %ax")            \
    X(lmsw, "lmsw %ax") X(invd, "invd") X(swapgs, "swapgs") X(sysretq, "sysretq")                  \
    X(sysexitq, "sysexitq") X(rsm, "rsm") X(vmcall, "vmcall") X(vmlaunch, "vmlaunch")              \
    X(vmxoff, "vmxoff") X(vmrun, "vmrun") X(vmmcall, "vmmcall") X(stgi, "stgi")                    \
    X(clgi, "clgi") X(invlpga, "invlpga") X(monitor, "monitor") X(mwait, "mwait")                  \
    X(xsaves, "xsaves (%rsp)") X(wrmsr, "wrmsr") X(cr8, "mov %rax, %cr8") X(clac, "clac")         \
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
    faulted("swapgs", TRY("swapgs", :));
    faulted("rsm", TRY("rsm", :));
    faulted("vmlaunch", TRY("vmlaunch", :));
    faulted("vmrun", TRY("vmrun", : : "a"(0)));
    faulted("clgi", TRY("clgi", :));
    faulted("sysretq", TRY("sysretq", : : "c"(HYPERVISOR_ADDRESS)));
    faulted("sysexitq", TRY("sysexitq", : : "c"(0), "d"(0)));
}
