#include "http_uri.h"

#include "mem.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static bool is_control(int byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* One byte of the text at *at, moved past; -1 for a bad escape or a control byte. */
static int decode_byte(const char **at)
{
	const char *text = *at;
	int high, low, byte;

	*at = text + 1;
	if (*text != '%')
		return (unsigned char)*text;
	high = hex_value(text[1]);
	low = high < 0 ? -1 : hex_value(text[2]);
	if (low < 0)
		return -1;
	*at = text + 3;
	byte = high << 4 | low;
	return is_control(byte) ? -1 : byte;
}

/* In place: the decoded text is never longer. plus: '+' stands for a space (forms, queries). */
static int decode(char *text, bool plus, const char **error_r)
{
	const char *from = text;
	char *to = text;

	while (*from != '\0') {
		bool is_plus = plus && *from == '+';
		int byte = decode_byte(&from);

		if (byte < 0) {
			*error_r = "bad percent escape";
			return -1;
		}
		*to++ = is_plus ? ' ' : (char)byte;
	}
	*to = '\0';
	if (utf8_valid(text, (size_t)(to - text)))
		return 0;
	*error_r = "percent escapes are not UTF-8";
	return -1;
}

static int split_path(struct http_uri *uri, char *path, const char **error_r)
{
	char *rest = path + 1;
	char *segment;

	while ((segment = strsep(&rest, "/")) != NULL) {
		if (uri->segment_count == HTTP_SEGMENTS_MAX) {
			*error_r = "path has too many segments";
			return -1;
		}
		if (decode(segment, false, error_r) < 0)
			return -1;
		uri->segments[uri->segment_count++] = segment;
	}
	return 0;
}

static int add_query(struct http_uri *uri, char *pair, const char **error_r)
{
	char *value = strchr(pair, '=');

	if (value != NULL)
		*value++ = '\0';
	else
		value = pair + strlen(pair);
	if (uri->query_count == HTTP_QUERY_MAX) {
		*error_r = "query has too many parameters";
		return -1;
	}
	if (decode(pair, true, error_r) < 0 || decode(value, true, error_r) < 0)
		return -1;
	if (pair[0] == '\0' || http_uri_query(uri, pair) != NULL) {
		*error_r = pair[0] == '\0' ? "query parameter without a name"
					   : "query parameter given twice";
		return -1;
	}
	uri->query[uri->query_count++] = (struct http_pair){pair, value};
	return 0;
}

static int split_query(struct http_uri *uri, char *query, const char **error_r)
{
	char *pair;

	if (query == NULL || query[0] == '\0')
		return 0;
	while ((pair = strsep(&query, "&")) != NULL)
		if (add_query(uri, pair, error_r) < 0)
			return -1;
	return 0;
}

static int check_raw(const char *target, const char **error_r)
{
	*error_r = "the request target must be a path";
	if (target[0] != '/')
		return -1;
	*error_r = "the request target holds a byte that must be escaped";
	for (const char *at = target; *at != '\0'; at++) {
		unsigned char byte = (unsigned char)*at;

		if (byte <= 0x20 || byte >= 0x7f || strchr("\"#<>\\^`{|}", byte) != NULL)
			return -1;
	}
	return 0;
}

int http_uri_parse(const char *target, struct http_uri *uri, const char **error_r)
{
	size_t len = strlen(target);
	char *path, *query;

	memset(uri, 0, sizeof(*uri));
	/* Twice: the path as it was sent, then the copy that is cut up and decoded. */
	uri->text = mem_alloc(2 * (len + 1));
	uri->path = uri->text;
	memcpy(uri->text, target, len);
	uri->text[strcspn(uri->text, "?")] = '\0';
	path = uri->text + len + 1;
	memcpy(path, target, len);
	if (check_raw(target, error_r) < 0)
		return -1;
	query = strchr(path, '?');
	if (query != NULL)
		*query++ = '\0';
	if (split_path(uri, path, error_r) < 0)
		return -1;
	return split_query(uri, query, error_r);
}

void http_uri_free(struct http_uri *uri)
{
	free(uri->text);
	memset(uri, 0, sizeof(*uri));
}

const char *http_uri_query(const struct http_uri *uri, const char *name)
{
	for (size_t i = 0; i < uri->query_count; i++)
		if (strcmp(uri->query[i].name, name) == 0)
			return uri->query[i].value;
	return NULL;
}
