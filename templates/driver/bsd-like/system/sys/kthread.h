#ifndef _SYS_KTHREAD_H_
#define _SYS_KTHREAD_H_
struct cpu_info;
struct lwp;
#define KTHREAD_MPSAFE 0x2
__attribute__((format(printf, 7, 8))) int kthread_create(int priority, int flags,
                                                         struct cpu_info *cpu,
                                                         void (*function)(void *), void *argument,
                                                         struct lwp **thread, const char *name, ...);
__attribute__((noreturn)) void kthread_exit(int code);
#endif
