#include "phone.h"

#include <stdio.h>
#include <string.h>

#define DIGITS_MIN  7
#define DIGITS_MAX  15 /* ITU-T E.164 */
#define WRITTEN_MAX 40

static bool starts(const char *text, const char *prefix)
{
	return prefix[0] != '\0' && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* In a number with its country: what is dialled at home alone, "+44 (0)20". */
static bool is_aside(const struct phone_rules *rules, const char *text, const char *before)
{
	return strncmp(text, "(0)", 3) == 0 &&
	       (before[0] == '+' || starts(before, rules->intl_prefix));
}

/* Digits alone, with a plus where it leads. False: something else is in it. */
static bool strip(const struct phone_rules *rules, const char *text, char out[WRITTEN_MAX + 1])
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		out[len] = '\0';
		if (is_aside(rules, text, out))
			text += 2;
		else if (strchr(" -./()", *text) != NULL)
			continue;
		else if ((*text < '0' || *text > '9') && !(*text == '+' && len == 0))
			return false;
		else if (len == WRITTEN_MAX)
			return false;
		else
			out[len++] = *text;
	}
	out[len] = '\0';
	return len > 0;
}

static bool join(char out[PHONE_MAX], const char *country, const char *rest)
{
	return snprintf(out, PHONE_MAX, "+%s%s", country, rest) < PHONE_MAX;
}

/* Whatever the country, it begins with its calling code, which never begins with 0. */
static bool to_international(const struct phone_rules *rules, const char *digits,
			     char out[PHONE_MAX])
{
	if (digits[0] == '+')
		return join(out, "", digits + 1);
	if (starts(digits, rules->intl_prefix))
		return join(out, "", digits + strlen(rules->intl_prefix));
	if (starts(digits, rules->trunk_prefix))
		return join(out, rules->country, digits + strlen(rules->trunk_prefix));
	if (starts(digits, rules->country))
		return join(out, "", digits);
	return rules->trunk_prefix[0] == '\0' && join(out, rules->country, digits);
}

/* "+49 030": at home no number begins with what is dialled before it. */
static void drop_trunk(const struct phone_rules *rules, char number[PHONE_MAX])
{
	char *rest = number + 1 + strlen(rules->country);

	while (starts(number + 1, rules->country) && starts(rest, rules->trunk_prefix))
		memmove(rest, rest + strlen(rules->trunk_prefix),
			strlen(rest) - strlen(rules->trunk_prefix) + 1);
}

static bool read_number(const struct phone_rules *rules, const char *text, char out[PHONE_MAX])
{
	char digits[WRITTEN_MAX + 1];

	if (!strip(rules, text, digits) || !to_international(rules, digits, out))
		return false;
	drop_trunk(rules, out);
	return true;
}

bool phone_normalise(const struct phone_rules *rules, const char *text, char out[PHONE_MAX])
{
	size_t len;

	if (!read_number(rules, text, out))
		return false;
	len = strlen(out) - 1;
	return len >= DIGITS_MIN && len <= DIGITS_MAX && out[1] != '0';
}

bool phone_prefix(const struct phone_rules *rules, const char *text, char out[PHONE_MAX])
{
	return read_number(rules, text, out) && strlen(out) > 3;
}

void phone_national(const struct phone_rules *rules, const char *number, char out[PHONE_MAX + 3])
{
	size_t len = strlen(rules->country);

	if (number[0] == '+' && strncmp(number + 1, rules->country, len) == 0)
		snprintf(out, PHONE_MAX + 3, "%s%s", rules->trunk_prefix, number + 1 + len);
	else
		snprintf(out, PHONE_MAX + 3, "%s", number);
}
