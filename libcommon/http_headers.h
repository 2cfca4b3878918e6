/* The header fields of one request, copied, and what makes them unacceptable. libmicrohttpd 0.9.75
   takes more than RFC 9112 allows; what could be read in two ways is refused here. Not to be seen
   from here: a bare LF that it took for CR LF, a folded line that it joined, and a raw NUL, where
   it ends the target or value. */
#ifndef COMMON_HTTP_HEADERS_H
#define COMMON_HTTP_HEADERS_H

#include "http_uri.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_HEADERS_MAX 64

struct MHD_Connection;

struct http_headers {
	struct http_pair *pairs; /* owned, one block with the texts */
	size_t count;
};

void http_headers_copy(struct http_headers *headers, struct MHD_Connection *mhd);
void http_headers_free(struct http_headers *headers);
/* The first of that name, or NULL. */
const char *http_headers_get(const struct http_headers *headers, const char *name);
/* NULL when the fields are sound, else what is wrong with them (static). */
const char *http_headers_fault(const struct http_headers *headers, const char *version);
/* Length of the body that they announce; 0 for none or for a chunked one. */
uint64_t http_headers_body_length(const struct http_headers *headers);

#endif
