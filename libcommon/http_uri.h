/* The target of a request ("/api/ami/calls/17-2?limit=10") taken apart, each part percent-decoded
   exactly once. Pure, and strict: bad escapes, control bytes, bytes that are not UTF-8, raw bytes
   that RFC 3986 does not allow and repeated query names are faults. */
#ifndef COMMON_HTTP_URI_H
#define COMMON_HTTP_URI_H

#include <stddef.h>

#define HTTP_URI_MAX      4096
#define HTTP_SEGMENTS_MAX 16
#define HTTP_QUERY_MAX    32

struct http_pair {
	const char *name, *value;
};

/* Everything points into text. "/a/b" has the segments "a" and "b", "/" has one that is empty. */
struct http_uri {
	char *text;       /* owned */
	const char *path; /* as it was sent, without the query */
	const char *segments[HTTP_SEGMENTS_MAX];
	size_t segment_count;
	struct http_pair query[HTTP_QUERY_MAX];
	size_t query_count;
};

/* Returns 0, or -1 with *error_r (static); uri needs http_uri_free() in both cases. */
int http_uri_parse(const char *target, struct http_uri *uri, const char **error_r)
	__attribute__((warn_unused_result));
void http_uri_free(struct http_uri *uri);
/* NULL when the name is not there. */
const char *http_uri_query(const struct http_uri *uri, const char *name);

#endif
