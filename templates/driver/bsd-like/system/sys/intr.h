#ifndef _SYS_INTR_H_
#define _SYS_INTR_H_
#define SOFTINT_NET 0x3u
#define SOFTINT_MPSAFE 0x100u
#define IPL_SOFTNET 4
void *softint_establish(unsigned int flags, void (*function)(void *), void *argument);
void softint_schedule(void *cookie);
#endif
