#include "extensions.h"

#include <stddef.h>
#include <string.h>

#define DIGITS  "0123456789"
#define LEN_MAX 10

struct range {
	const char *from, *to;
	size_t len; /* digits of both */
};

/* Reads one range and the blanks after it. Returns the rest, or NULL. */
static const char *read_range(const char *text, struct range *range_r)
{
	size_t len = strspn(text, DIGITS);

	if (len < 1 || len > LEN_MAX)
		return NULL;
	*range_r = (struct range){text, text, len};
	text += len;
	if (*text == '-') {
		range_r->to = ++text;
		if (strspn(text, DIGITS) != len || strncmp(range_r->from, range_r->to, len) > 0)
			return NULL;
		text += len;
	}
	return *text == '\0' || *text == ' ' ? text + strspn(text, " ") : NULL;
}

bool extensions_are_ranges(const char *text)
{
	struct range range;

	do {
		text = read_range(text, &range);
	} while (text != NULL && *text != '\0');
	return text != NULL;
}

bool extensions_allow(const char *ranges, const char *extension)
{
	size_t len = strspn(extension, DIGITS);
	struct range range;

	if (extension[len] != '\0')
		return false;
	while (ranges != NULL && *ranges != '\0') {
		ranges = read_range(ranges, &range);
		if (ranges != NULL && range.len == len &&
		    strncmp(range.from, extension, len) <= 0 &&
		    strncmp(extension, range.to, len) <= 0)
			return true;
	}
	return false;
}
