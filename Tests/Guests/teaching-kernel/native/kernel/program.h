/* Programs: ELF files on the disk. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "slate.h"

/* Texts in a row, each with its zero. */
struct arguments {
    unsigned int count, bytes;
    char texts[ARGUMENT_BYTES];
};

/* Puts a program in the place of the current process's; 0, or an error, and nothing has changed. */
int program_exec(const char *path, const struct arguments *arguments);

#endif
