#ifndef _SYS_REBOOT_H_
#define _SYS_REBOOT_H_
#define RB_POWERDOWN 0x808
__attribute__((noreturn)) void cpu_reboot(int how, char *command);
#endif
