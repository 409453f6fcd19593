#ifndef _SYS_TIME_H_
#define _SYS_TIME_H_
struct timespec {
    long tv_sec;
    long tv_nsec;
};
void nanouptime(struct timespec *now);
#endif
