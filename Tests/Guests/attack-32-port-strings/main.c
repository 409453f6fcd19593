/*
 * test: attack-32-port-strings
 * User mode that may use ports has the hypervisor move their strings for it. In 32 bits the kernel's pages
 * lie in the same address space: user mode must not have them read or written that way, nor the
 * hypervisor's.
 */
#include "guest.h"
#include "segments.h"

USER_CODE(user_in, "insb; " SYSTEM_CALL "; ud2");
USER_CODE(user_in_words, "insl; " SYSTEM_CALL "; ud2");
USER_CODE(user_out, "outsb; " SYSTEM_CALL "; ud2");

static struct trap_frame run(const void *code, uint32_t address)
{
    struct trap_frame frame = user_frame(code);
    frame.rdi = frame.rsi = address;
    frame.rdx = 0x200; /* Nothing is there. */
    user_run(&frame);
    return frame;
}

static void refused_at(const char *what, uint32_t address, fault_t in, fault_t out)
{
    print("%s\n", what);
    struct trap_frame frame = run(user_in, address);
    expect_fault("  written", FAULT(frame.vector, frame.error_code), in);
    frame = run(user_out, address);
    expect_fault("  read", FAULT(frame.vector, frame.error_code), out);
}

void test_main(void)
{
    struct physdev_set_iopl op = {.iopl = 3};
    uint8_t *page = page_alloc();
    fault_t written = FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE | PF_USER), read = FAULT(VECTOR_PF, PF_PRESENT | PF_USER);

    user_initialise();
    memset(page, 0x5a, 4096);
    expect_result("set_iopl", HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &op), 0);
    refused_at("its own page", USER_DATA, FAULT(ENTRY_SYSCALL, 0), FAULT(ENTRY_SYSCALL, 0));
    expect_value("  a byte of no port", *(uint8_t *)user_data(), 0xff);
    refused_at("a page of the kernel's", (uint32_t)page, written, read);
    refused_at("start_info", (uint32_t)start_info, written, read);
    refused_at("the kernel's code", (uint32_t)test_main, written, read);
    refused_at("the page shared with the hypervisor", (uint32_t)shared_info, written, read);
    struct trap_frame frame = run(user_in_words, USER_DATA + 4094);
    expect_vector("past the end of its page", FAULT(frame.vector, frame.error_code), VECTOR_PF);
    static const uint32_t places[] = {0, 4096, 0x200000, 0x3fff000};
    bool is_refused = true;
    for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint32_t address = hypervisor_start() + places[i];
        is_refused &= run(user_in, address).vector != ENTRY_SYSCALL;
        is_refused &= run(user_out, address).vector != ENTRY_SYSCALL;
    }
    expect_true("the hypervisor's part is refused", is_refused);
    bool is_whole = true;
    for (unsigned int i = 0; i < 4096; i++)
        is_whole &= page[i] == 0x5a;
    expect_true("the kernel's page is as it was", is_whole);
}
