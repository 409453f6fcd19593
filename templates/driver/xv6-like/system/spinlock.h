#ifndef SPINLOCK_H
#define SPINLOCK_H
struct spinlock {
    unsigned int locked;
    char *name;
};
#endif
