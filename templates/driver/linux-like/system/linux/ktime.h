#ifndef _LINUX_KTIME_H
#define _LINUX_KTIME_H
#include <stdint.h>
uint64_t ktime_get_ns(void);
long nsecs_to_jiffies(uint64_t nanoseconds);
#endif
