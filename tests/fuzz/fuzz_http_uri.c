/* The target of a request on any bytes: what passes is bounded, decoded once and plain text, and no
   pattern of a route reads beyond it. */
#include "http_route.h"
#include "http_uri.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const patterns[] = {"/", "/api/ami/calls", "/api/ami/calls/{callId}/hold",
				       "/{a}/{b}/{c}/{d}"};

static void check_text(const char *text)
{
	if (!utf8_valid(text, strlen(text)))
		abort();
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
}

static void check_routes(const struct http_uri *uri)
{
	struct http_pair params[HTTP_SEGMENTS_MAX];
	uint32_t rank;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (!http_route_matches(patterns[i], uri, &rank))
			continue;
		for (size_t count = http_route_params(patterns[i], uri, params); count > 0; count--)
			check_text(params[count - 1].value);
	}
}

static void check(const struct http_uri *uri)
{
	if (uri->segment_count == 0 || uri->segment_count > HTTP_SEGMENTS_MAX ||
	    uri->query_count > HTTP_QUERY_MAX)
		abort();
	for (size_t i = 0; i < uri->segment_count; i++)
		check_text(uri->segments[i]);
	for (size_t i = 0; i < uri->query_count; i++) {
		check_text(uri->query[i].name);
		check_text(uri->query[i].value);
		if (http_uri_query(uri, uri->query[i].name) != uri->query[i].value)
			abort();
	}
	check_routes(uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_uri uri;
	const char *error = NULL;
	char *target = malloc(size + 1);

	memcpy(target, data, size);
	target[size] = '\0';
	if (http_uri_parse(target, &uri, &error) == 0)
		check(&uri);
	else if (error == NULL)
		abort();
	http_uri_free(&uri);
	free(target);
	return 0;
}
