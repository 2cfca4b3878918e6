/* Which route a request is for. Pure. Where two patterns fit, the one whose first differing
   segment is literal wins ("/calls/active" before "/calls/{callId}"), whatever their order. */
#ifndef COMMON_HTTP_ROUTE_H
#define COMMON_HTTP_ROUTE_H

#include "buffer.h"
#include "http_server.h"
#include "http_uri.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether the path fits the pattern. *rank_r: higher is more specific. */
bool http_route_matches(const char *pattern, const struct http_uri *uri, uint32_t *rank_r);
/* The pattern's {names} and their values, for a path that matches. Names are not terminated: they
   end with '}'. Returns how many. */
size_t http_route_params(const char *pattern, const struct http_uri *uri,
			 struct http_pair params[static HTTP_SEGMENTS_MAX]);
/* Whether a route's method serves this one: HEAD is served by GET. */
bool http_route_serves(const char *route_method, const char *method);
/* Adds a method to a list for the Allow header, once. */
void http_route_allow(struct buffer *allow, const char *method);

#endif
