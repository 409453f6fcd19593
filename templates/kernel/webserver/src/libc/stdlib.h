/* What lwIP wants of the C library: a number out of a text. */
#ifndef STDLIB_H
#define STDLIB_H

int atoi(const char *text);

#endif
