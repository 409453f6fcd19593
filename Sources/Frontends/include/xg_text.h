/* Numbers and paths as text: what xenstore is made of. No allocation; short buffers are cut. */
#ifndef XG_TEXT_H
#define XG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any path that the frontends build. */
#define XG_PATH 160

size_t xg_length(const char *text);
bool xg_equal(const char *a, const char *b);
bool xg_begins(const char *text, const char *start);

/* Joins texts, the last of which is 0, into a buffer. False: it does not fit, and is empty. */
bool xg_join(char *buffer, size_t size, ...);
/* A number in decimal; the buffer holds 21 bytes at least. */
void xg_print_number(char *buffer, uint64_t value);
/* The whole text as a decimal number. False: it is none, or too large. */
bool xg_parse_number(const char *text, uint64_t *value);
/* Six bytes in hexadecimal with colons. False: it is none, and `mac` is as it was. */
bool xg_parse_mac(const char *text, uint8_t mac[6]);

#endif /* XG_TEXT_H */
