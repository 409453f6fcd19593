/* Pieces of a text, which nothing ends but their length. */
#ifndef SPAN_H
#define SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *text;
    size_t length;
};

bool is_digit(char letter);
/* 0 to 15, or negative. */
int hex_digit(char letter);
/* Whether a piece is a word, which is written in small letters. */
bool is_word(struct span span, const char *word);
/* A token (RFC 9110, 5.6.2): the letters of methods and of fields' names. */
bool is_token(struct span span);
/* Without blanks around it. */
struct span trimmed(struct span span);
/* The piece before a letter, which is taken off; the whole where there is none. */
struct span split(struct span *rest, char letter);
/* A line without its end. False: the text is over before the line is. */
bool next_line(struct span *rest, struct span *line);
/* All digits, and no more than fits. */
bool number_of(struct span span, uint64_t *value);

#endif
