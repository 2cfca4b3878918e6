/* Whatever is taken for a telephone number is one in E.164, and stays what it is. */
#include "phone.h"

#include "mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct phone_rules rules[] = {
	{"49", "0", "00"},
	{"1", "", "011"},
	{"39", "", ""},
	{"", "", ""},
};

static void check(const struct phone_rules *rule, const char *text)
{
	char number[PHONE_MAX], again[PHONE_MAX], national[PHONE_MAX + 3];

	if (phone_prefix(rule, text, number) && number[0] != '+')
		abort();
	if (!phone_normalise(rule, text, number))
		return;
	if (number[0] != '+' || strspn(number + 1, "0123456789") != strlen(number + 1) ||
	    strlen(number) < 8 || strlen(number) >= PHONE_MAX)
		abort();
	if (!phone_normalise(rule, number, again) || strcmp(number, again) != 0)
		abort();
	phone_national(rule, number, national);
	if (rule->trunk_prefix[0] != '\0' &&
	    (!phone_normalise(rule, national, again) || strcmp(number, again) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		check(&rules[i], text);
	free(text);
	return 0;
}
