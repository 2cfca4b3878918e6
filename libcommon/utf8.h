/* UTF-8 as RFC 3629 defines it: no surrogates, no overlong forms, nothing past U+10FFFF. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length in bytes (1..4) of the valid sequence at text, or 0 when there is none. */
size_t utf8_sequence(const char *text, size_t len);
bool utf8_valid(const char *text, size_t len);

#endif
