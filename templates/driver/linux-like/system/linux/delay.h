#ifndef _LINUX_DELAY_H
#define _LINUX_DELAY_H
void usleep_range(unsigned long least, unsigned long most);
#endif
