#ifndef _LINUX_PRINTK_H
#define _LINUX_PRINTK_H
__attribute__((format(printf, 1, 2))) int pr_err(const char *format, ...);
__attribute__((format(printf, 1, 2))) int pr_info(const char *format, ...);
#endif
