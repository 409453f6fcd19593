#ifndef DEFS_H
#define DEFS_H
struct spinlock;
void acquire(struct spinlock *lock);
void release(struct spinlock *lock);
void initlock(struct spinlock *lock, char *name);
char *kalloc(void);
void sleep(void *channel, struct spinlock *lock);
void wakeup(void *channel);
void cprintf(char *format, ...);
extern unsigned int ticks;
#endif
