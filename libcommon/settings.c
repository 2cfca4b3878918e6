#include "settings.h"

#include "mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILE_VALUE_MAX 65536

static void *slot(const struct settings_group *group, const struct setting *setting)
{
	return (char *)group->values + setting->offset;
}

/* The whole file without the newline at its end; NULL with errno when it cannot be read. */
static char *read_value_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t len;

	if (file == NULL)
		return NULL;
	text = mem_alloc(FILE_VALUE_MAX + 1);
	len = fread(text, 1, FILE_VALUE_MAX, file);
	if (ferror(file)) {
		fclose(file);
		free(text);
		return NULL;
	}
	fclose(file);
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}

/* Sets *value_r to an owned string, or to NULL when neither NAME nor NAME_FILE is set. */
static int find_value(const char *name, char **value_r, struct buffer *faults)
{
	const char *direct = getenv(name);
	char *file_name = mem_printf("%s_FILE", name);
	const char *path = getenv(file_name);
	int result = 0;

	*value_r = NULL;
	if (direct != NULL && path != NULL) {
		buffer_printf(faults, "%s: set it or %s, not both\n", name, file_name);
		result = -1;
	} else if (direct != NULL) {
		*value_r = mem_strdup(direct);
	} else if (path != NULL) {
		*value_r = read_value_file(path);
		if (*value_r == NULL) {
			buffer_printf(faults, "%s: cannot read %s: %s\n", file_name, path,
				      strerror(errno));
			result = -1;
		}
	}
	free(file_name);
	return result;
}

char *settings_lookup(const char *name)
{
	struct buffer faults = {0};
	char *value = NULL;

	(void)find_value(name, &value, &faults);
	buffer_free(&faults);
	return value;
}

static int parse_number(const char *text, int64_t *number_r)
{
	char *end;

	errno = 0;
	*number_r = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' ? 0 : -1;
}

static int set_number(const struct setting *setting, const char *text, int64_t *value,
		      struct buffer *faults)
{
	if (parse_number(text, value) < 0)
		buffer_printf(faults, "%s: '%s' is not a whole number\n", setting->name, text);
	else if (*value < setting->min || *value > setting->max)
		buffer_printf(faults, "%s: %" PRId64 " is not within %" PRId64 " to %" PRId64 "\n",
			      setting->name, *value, setting->min, setting->max);
	else
		return 0;
	return -1;
}

static int set_flag(const struct setting *setting, const char *text, bool *value,
		    struct buffer *faults)
{
	static const char *const words[] = {"no",   "false", "off", "0", "yes",
					    "true", "on",    "1",   NULL};

	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*value = i >= 4;
			return 0;
		}
	}
	buffer_printf(faults, "%s: '%s' is neither yes nor no\n", setting->name, text);
	return -1;
}

static bool is_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = choices; *at != '\0'; at += strspn(at, " ")) {
		size_t span = strcspn(at, " ");

		if (span == len && strncmp(at, word, len) == 0)
			return true;
		at += span;
	}
	return false;
}

/* "address:port" or "[address]:port". */
static bool is_listen(const char *text)
{
	const char *colon = strrchr(text, ':');
	int64_t port;

	return colon != NULL && colon != text && parse_number(colon + 1, &port) == 0 && port >= 0 &&
	       port <= 65535;
}

static const char *text_fault(const struct setting *setting, const char *text)
{
	size_t len = strlen(text);

	if (setting->kind == SETTING_LISTEN)
		return is_listen(text) ? NULL : "must be address:port";
	if (setting->kind == SETTING_CHOICE)
		return is_choice(setting->choices, text) ? NULL : setting->choices;
	if (len == 0 && setting->fallback != NULL && setting->fallback[0] == '\0')
		return NULL;
	if ((int64_t)len < setting->min)
		return len == 0 ? "must not be empty" : "is too short";
	return setting->max > 0 && (int64_t)len > setting->max ? "is too long" : NULL;
}

/* Takes over text when it fits. */
static int set_text(const struct setting *setting, char *text, char **value, struct buffer *faults)
{
	const char *fault = text_fault(setting, text);

	if (fault == NULL) {
		*value = text;
		return 0;
	}
	if (setting->kind == SETTING_CHOICE)
		buffer_printf(faults, "%s: '%s' is not one of: %s\n", setting->name, text, fault);
	else if (setting->min > 1 && setting->kind == SETTING_TEXT)
		buffer_printf(faults, "%s: %s (at least %" PRId64 " characters)\n", setting->name,
			      fault, setting->min);
	else
		buffer_printf(faults, "%s: %s\n", setting->name, fault);
	return -1;
}

static int set_value(const struct settings_group *group, const struct setting *setting, char *text,
		     struct buffer *faults)
{
	void *value = slot(group, setting);
	int result;

	switch (setting->kind) {
	case SETTING_NUMBER:
		result = set_number(setting, text, value, faults);
		break;
	case SETTING_FLAG:
		result = set_flag(setting, text, value, faults);
		break;
	default:
		result = set_text(setting, text, value, faults);
		if (result == 0)
			return 0;
	}
	free(text);
	return result;
}

static int load_one(const struct settings_group *group, const struct setting *setting,
		    struct buffer *faults)
{
	char *text;

	if (find_value(setting->name, &text, faults) < 0)
		return -1;
	if (text == NULL && setting->fallback == NULL) {
		buffer_printf(faults, "%s: must be set (%s)\n", setting->name, setting->meaning);
		return -1;
	}
	return set_value(group, setting, text != NULL ? text : mem_strdup(setting->fallback),
			 faults);
}

int settings_load(const struct settings_group *groups, struct buffer *faults_r)
{
	int result = 0;

	for (const struct settings_group *group = groups; group->table != NULL; group++)
		for (const struct setting *at = group->table; at->name != NULL; at++)
			if (load_one(group, at, faults_r) < 0)
				result = -1;
	return result;
}

void settings_any_port(const struct settings_group *groups)
{
	for (const struct settings_group *group = groups; group->table != NULL; group++) {
		for (const struct setting *at = group->table; at->name != NULL; at++) {
			char **value = slot(group, at);

			if (at->kind != SETTING_LISTEN)
				continue;
			free(*value);
			*value = mem_strdup("127.0.0.1:0");
		}
	}
}

void settings_free(const struct settings_group *groups)
{
	for (const struct settings_group *group = groups; group->table != NULL; group++) {
		for (const struct setting *at = group->table; at->name != NULL; at++) {
			char **value = slot(group, at);

			if (at->kind == SETTING_NUMBER || at->kind == SETTING_FLAG)
				continue;
			free(*value);
			*value = NULL;
		}
	}
}

static void describe_one(const struct setting *setting, struct buffer *out)
{
	buffer_printf(out, "  %-28s %s\n  %-28s ", setting->name, setting->meaning, "");
	if (setting->fallback == NULL)
		buffer_append_str(out, "must be set");
	else if (setting->fallback[0] == '\0')
		buffer_append_str(out, "default: none");
	else
		buffer_printf(out, "default: %s", setting->fallback);
	if (setting->kind == SETTING_NUMBER)
		buffer_printf(out, "; %" PRId64 " to %" PRId64, setting->min, setting->max);
	else if (setting->kind == SETTING_CHOICE)
		buffer_printf(out, "; one of: %s", setting->choices);
	else if (setting->kind == SETTING_FLAG)
		buffer_append_str(out, "; yes or no");
	if (setting->secret)
		buffer_printf(out, "; secret, better as %s_FILE", setting->name);
	buffer_append_char(out, '\n');
}

void settings_describe(const struct settings_group *groups, struct buffer *out)
{
	for (const struct settings_group *group = groups; group->table != NULL; group++)
		for (const struct setting *at = group->table; at->name != NULL; at++)
			describe_one(at, out);
}
