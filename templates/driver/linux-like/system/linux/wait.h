#ifndef _LINUX_WAIT_H
#define _LINUX_WAIT_H
typedef struct { int unused; } wait_queue_head_t;
#define DECLARE_WAIT_QUEUE_HEAD(name) wait_queue_head_t name = {0}
void wake_up(wait_queue_head_t *queue);
long schedule_on(wait_queue_head_t *queue, long jiffies);
/* The system's is a macro, too: it evaluates the condition before and after each sleep. */
#define wait_event_timeout(queue, condition, jiffies)                                              \
    do {                                                                                           \
        if (!(condition))                                                                          \
            schedule_on(&(queue), (jiffies));                                                      \
    } while (0)
#define READ_ONCE(variable) (*(volatile __typeof__(variable) *)&(variable))
#define WRITE_ONCE(variable, value) (*(volatile __typeof__(variable) *)&(variable) = (value))
#endif
