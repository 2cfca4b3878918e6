/* Any target of a request: taken apart without a fault, and what is taken has no byte that could
   end a line or a string further in. */
#include "http_route.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			abort();
	}
	if (!utf8_valid(text, strlen(text)))
		abort();
}

static void check_params(const struct http_uri *uri)
{
	static const char *const patterns[] = {"/", "/api/ami/calls/{callId}/hold", "/{a}/{b}"};
	struct http_pair params[HTTP_SEGMENTS_MAX];
	uint32_t rank;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (!http_route_matches(patterns[i], uri, &rank))
			continue;
		for (size_t n = http_route_params(patterns[i], uri, params); n > 0; n--)
			check(params[n - 1].value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_uri uri;
	const char *error = NULL;
	char *target = malloc(size + 1);

	memcpy(target, data, size);
	target[size] = '\0';
	if (http_uri_parse(target, &uri, &error) == 0) {
		for (size_t i = 0; i < uri.segment_count; i++)
			check(uri.segments[i]);
		for (size_t i = 0; i < uri.query_count; i++) {
			check(uri.query[i].name);
			check(uri.query[i].value);
		}
		check_params(&uri);
	} else if (!error) {
		abort();
	}
	http_uri_free(&uri);
	free(target);
	return 0;
}
