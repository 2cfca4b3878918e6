#include "http_server.h"

#include "ids.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     200
#define CURSOR_MAX    200

static bool parse_limit(const char *text, size_t *limit_r)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 3 || text[digits] != '\0')
		return false;
	*limit_r = strtoul(text, NULL, 10);
	return *limit_r >= 1 && *limit_r <= LIMIT_MAX;
}

bool http_page(struct http_request *request, struct http_page *page_r)
{
	const char *limit = http_query(request, "limit");

	page_r->limit = LIMIT_DEFAULT;
	page_r->cursor = http_query(request, "cursor");
	if (limit != NULL && !parse_limit(limit, &page_r->limit)) {
		http_reply_error(request, 400, "bad_request", "limit must be a number from 1 to %d",
				 LIMIT_MAX);
		return false;
	}
	if (page_r->cursor != NULL && !id_is_safe(page_r->cursor, CURSOR_MAX)) {
		http_reply_error(request, 400, "bad_request", "cursor is not one of ours");
		return false;
	}
	return true;
}
