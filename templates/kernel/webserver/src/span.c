/* Pieces of a text. */
#include "span.h"

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
}

bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

int hex_digit(char letter)
{
    if (is_digit(letter))
        return letter - '0';
    letter = lower(letter);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool is_word(struct span span, const char *word)
{
    size_t at = 0;

    while (at < span.length && word[at] && lower(span.text[at]) == word[at])
        at++;
    return at == span.length && word[at] == 0;
}

bool is_token(struct span span)
{
    for (size_t i = 0; i < span.length; i++) {
        char letter = span.text[i];
        bool good = is_digit(letter) || (lower(letter) >= 'a' && lower(letter) <= 'z');
        for (const char *other = "!#$%&'*+-.^_`|~"; !good && *other; other++)
            good = letter == *other;
        if (!good)
            return false;
    }
    return span.length > 0;
}

struct span trimmed(struct span span)
{
    while (span.length && (*span.text == ' ' || *span.text == '\t')) {
        span.text++;
        span.length--;
    }
    while (span.length && (span.text[span.length - 1] == ' ' || span.text[span.length - 1] == '\t'))
        span.length--;
    return span;
}

struct span split(struct span *rest, char letter)
{
    struct span piece = {rest->text, 0};

    while (piece.length < rest->length && rest->text[piece.length] != letter)
        piece.length++;
    size_t taken = piece.length < rest->length ? piece.length + 1 : piece.length;
    rest->text += taken;
    rest->length -= taken;
    return piece;
}

bool next_line(struct span *rest, struct span *line)
{
    for (size_t i = 0; i < rest->length; i++) {
        if (rest->text[i] != '\n')
            continue;
        *line = (struct span){rest->text, i && rest->text[i - 1] == '\r' ? i - 1 : i};
        rest->text += i + 1;
        rest->length -= i + 1;
        return true;
    }
    return false;
}

bool number_of(struct span span, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < span.length; i++) {
        if (!is_digit(span.text[i]) || *value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(span.text[i] - '0');
    }
    return span.length > 0;
}
