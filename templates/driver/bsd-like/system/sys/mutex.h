#ifndef _SYS_MUTEX_H_
#define _SYS_MUTEX_H_
typedef struct { void *opaque; } kmutex_t;
typedef enum { MUTEX_SPIN, MUTEX_ADAPTIVE, MUTEX_DEFAULT } kmutex_type_t;
void mutex_init(kmutex_t *lock, kmutex_type_t type, int level);
void mutex_enter(kmutex_t *lock);
void mutex_exit(kmutex_t *lock);
#endif
