#ifndef _LINUX_KTHREAD_H
#define _LINUX_KTHREAD_H
struct task_struct;
struct task_struct *kthread_run(int (*function)(void *), void *data, const char *name, ...);
#endif
