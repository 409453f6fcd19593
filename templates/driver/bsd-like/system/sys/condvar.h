#ifndef _SYS_CONDVAR_H_
#define _SYS_CONDVAR_H_
#include <sys/mutex.h>
typedef struct { void *opaque[3]; } kcondvar_t;
void cv_init(kcondvar_t *condition, const char *name);
int cv_timedwait(kcondvar_t *condition, kmutex_t *lock, int ticks);
void cv_signal(kcondvar_t *condition);
#endif
