#include "json.h"
#include "utf8.h"

#include <math.h>
#include <string.h>

/* cJSON takes a NUL, raw or as \u0000, for the end of a string, raw control characters as they are,
   and recurses once per level (up to 1,000): all are refused before it sees the text. */
static const char *find_fault(const char *text, size_t len)
{
	int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\0')
			return "it holds a NUL byte";
		if (quoted && text[i] == '\\') {
			if (len - i >= 6 && memcmp(text + i + 1, "u0000", 5) == 0)
				return "it holds a NUL character";
			i++;
		} else if (quoted && (unsigned char)text[i] < 0x20) {
			return "it holds a control character that is not escaped";
		} else if (text[i] == '"') {
			quoted = !quoted;
		} else if (!quoted && (text[i] == '{' || text[i] == '[')) {
			if (++depth > JSON_DEPTH_MAX)
				return "it is nested too deeply";
		} else if (!quoted && (text[i] == '}' || text[i] == ']')) {
			depth--;
		}
	}
	return utf8_valid(text, len) ? NULL : "it is not UTF-8 text";
}

static bool only_space(const char *text, const char *end)
{
	while (text < end && strchr(" \t\r\n", *text) != NULL)
		text++;
	return text == end;
}

cJSON *json_parse(const char *text, size_t len, const char **error_r)
{
	const char *end = NULL;
	cJSON *value;

	*error_r = len == 0 ? "it is empty" : find_fault(text, len);
	if (*error_r != NULL)
		return NULL;
	value = cJSON_ParseWithLengthOpts(text, len, &end, false);
	if (value == NULL) {
		*error_r = "it is not JSON";
		return NULL;
	}
	if (!only_space(end, text + len)) {
		cJSON_Delete(value);
		*error_r = "something follows the value";
		return NULL;
	}
	return value;
}

const char *json_get_str(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

bool json_is_int(const cJSON *item)
{
	return cJSON_IsNumber(item) && floor(item->valuedouble) == item->valuedouble &&
	       fabs(item->valuedouble) <= 9007199254740992.0;
}

int64_t json_get_int(const cJSON *object, const char *key, int64_t fallback)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return json_is_int(item) ? (int64_t)item->valuedouble : fallback;
}

bool json_get_bool(const cJSON *object, const char *key, bool fallback)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsBool(item) ? cJSON_IsTrue(item) != 0 : fallback;
}
