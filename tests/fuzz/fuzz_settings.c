/* Settings of every kind from any text, the same for all: what passes is within its bounds, and
   what does not is said. */
#include "http_internal.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct values {
	char *text, *listen, *choice;
	int64_t number;
	bool flag;
} values;

#define AT(field) SETTING_STRUCT_OFFSET(struct values, field)

static const struct setting table[] = {
	{"FUZZ_TEXT", SETTING_TEXT, AT(text), 2, 20, NULL, NULL, false, "a text"},
	{"FUZZ_NUMBER", SETTING_NUMBER, AT(number), -5, 1000, "1", NULL, false, "a number"},
	{"FUZZ_FLAG", SETTING_FLAG, AT(flag), 0, 0, "no", NULL, false, "a flag"},
	{"FUZZ_LISTEN", SETTING_LISTEN, AT(listen), 0, 0, "[::1]:1", NULL, false, "an address"},
	{"FUZZ_CHOICE", SETTING_CHOICE, AT(choice), 0, 0, "one", "one two", false, "a choice"},
	{0},
};

/* One at a time, the others by their defaults; the text must be set. */
static void load(const struct setting *one, const char *text)
{
	const struct settings_group groups[] = {{table, &values}, {NULL, NULL}};
	struct buffer faults = {0};
	int result;

	setenv("FUZZ_TEXT", "fine", 1);
	setenv(one->name, text, 1);
	result = settings_load(groups, &faults);
	if ((result == 0) != (faults.len == 0))
		abort();
	if (result == 0 && (values.number < -5 || values.number > 1000 || strlen(values.text) < 2 ||
			    strlen(values.text) > 20))
		abort();
	if (result == 0 && strcmp(values.choice, "one") != 0 && strcmp(values.choice, "two") != 0)
		abort();
	unsetenv(one->name);
	settings_free(groups);
	buffer_free(&faults);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_storage address = {0};
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	for (const struct setting *at = table; at->name != NULL; at++)
		load(at, text);
	(void)http_listen_parse(text, &address);
	free(text);
	return 0;
}
