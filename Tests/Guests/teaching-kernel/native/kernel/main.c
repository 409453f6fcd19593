/*
 * Slate, a small kernel to learn and to try things on. This is where it begins; read on in trap.c,
 * process.c and system_call.c, then paging.c, then the drivers.
 */
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "disk.h"
#include "file_system.h"
#include "interrupt.h"
#include "memory.h"
#include "paging.h"
#include "process.h"
#include "program.h"
#include "segments.h"

#define INIT "/bin/init"

/* The first process. It begins in the kernel, because a disk is waited for. */
static void start_init(void)
{
    static const struct arguments arguments = {.count = 1, .bytes = sizeof(INIT), .texts = INIT};

    disk_start();
    file_system_start();
    current->files[0] = current->files[1] = current->files[2] = (struct file){.kind = FILE_CONSOLE};
    int error = program_exec(INIT, &arguments);
    if (error)
        panic("%s cannot be run: error %d", INIT, error);
    frame_resume(process_frame(current));
}

/* Called by boot.S with interrupts off. */
__attribute__((noreturn)) void kernel_main(uint64_t boot_info);
void kernel_main(uint64_t boot_info)
{
    console_start();
    memory_start(boot_info);
    print("slate: native, %lu MiB\n", memory_end() >> 20);
    segments_start(); /* also: pages that cannot be executed */
    traps_start();
    paging_start();
    interrupts_start();
    processes_start();
    clock_start();
    process_create("init", start_init);
    process_idle();
}
