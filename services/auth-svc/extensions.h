/* Which extensions agents may have: ranges of numbers of the same length. Pure. */
#ifndef AUTH_SVC_EXTENSIONS_H
#define AUTH_SVC_EXTENSIONS_H

#include <stdbool.h>

/* Whether text is a list of ranges: "1000-1999 3000-3999"; "4711" is a range of one. */
bool extensions_are_ranges(const char *text);
bool extensions_allow(const char *ranges, const char *extension);

#endif
