#include "http_route.h"

#include <string.h>

_Static_assert(HTTP_SEGMENTS_MAX <= 32, "a rank has one bit for each segment");

static bool segment_matches(const char *pattern, size_t len, const char *segment)
{
	if (pattern[0] == '{')
		return segment[0] != '\0';
	return strlen(segment) == len && memcmp(pattern, segment, len) == 0;
}

bool http_route_matches(const char *pattern, const struct http_uri *uri, uint32_t *rank_r)
{
	uint32_t rank = 0;

	for (size_t i = 0; i < uri->segment_count; i++) {
		size_t len;

		if (*pattern++ != '/')
			return false;
		len = strcspn(pattern, "/");
		if (!segment_matches(pattern, len, uri->segments[i]))
			return false;
		if (pattern[0] != '{')
			rank |= UINT32_C(1) << (HTTP_SEGMENTS_MAX - 1 - i);
		pattern += len;
	}
	*rank_r = rank;
	return *pattern == '\0';
}

size_t http_route_params(const char *pattern, const struct http_uri *uri,
			 struct http_pair params[static HTTP_SEGMENTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < uri->segment_count; i++) {
		pattern++;
		if (pattern[0] == '{')
			params[count++] = (struct http_pair){pattern + 1, uri->segments[i]};
		pattern += strcspn(pattern, "/");
	}
	return count;
}

bool http_route_serves(const char *route_method, const char *method)
{
	if (strcmp(route_method, method) == 0)
		return true;
	return strcmp(method, "HEAD") == 0 && strcmp(route_method, "GET") == 0;
}

static void allow_one(struct buffer *allow, const char *method)
{
	size_t len = strlen(method);

	for (const char *at = buffer_str(allow); (at = strstr(at, method)) != NULL; at += len)
		if ((at == allow->data || at[-1] == ' ') && (at[len] == ',' || at[len] == '\0'))
			return;
	if (allow->len > 0)
		buffer_append_str(allow, ", ");
	buffer_append_str(allow, method);
}

void http_route_allow(struct buffer *allow, const char *method)
{
	allow_one(allow, method);
	if (strcmp(method, "GET") == 0)
		allow_one(allow, "HEAD");
}
