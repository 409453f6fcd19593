/*
 * What a driver's life stands on: words of the command line, lines that say what happens, and waiting.
 * Driver context (xg_os.h), all of it.
 */
#ifndef XG_LIFE_H
#define XG_LIFE_H

#include "xg_bus.h"
#include "xg_os.h"

#define MILLISECONDS 1000000ull
#define SECONDS 1000000000ull

/* The kernel's command line; of the system, as xg_os.h is. */
const char *life_words(void);
/* Takes each line; xg_os_log where nobody sets another. */
extern void (*life_line)(const char *line);

/* Whether the command line has a word. */
bool life_has(const char *word);
/* The number behind a word such as "mib=". */
uint64_t life_number(const char *word, uint64_t otherwise);
/* The address behind a word such as "ip=", as a number; 10.0.2.15 is 0x0a00020f. */
uint32_t life_address(const char *word, uint32_t otherwise);

/* Prints a line made of texts, the last of which is 0. */
void life_say(const char *first, ...);
/* A number as text. Valid until the eighth call after. */
const char *life_text(uint64_t number);
/* One condition of the result; the line says yes or no. */
void life_check(const char *what, bool good);

/* Brings up grants and xenstore, and looks for devices of these kinds; 0 or a negative error. */
int life_start(const struct xg_driver *const *drivers, size_t count);
/* Serves the drivers until the condition holds, or so many nanoseconds have passed. */
bool life_until(bool (*condition)(void), uint64_t nanoseconds);
/* Takes the drivers down, checks that every page is the domain's own again, and says the result:
 * 0, or -XEN_EIO where a check failed. */
int life_end(void);

#endif
