#ifndef _SYS_SYSTM_H_
#define _SYS_SYSTM_H_
extern int hz;
__attribute__((format(printf, 1, 2))) void aprint_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void aprint_normal(const char *format, ...);
#endif
