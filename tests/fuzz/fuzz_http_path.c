/* Any request target through the splitter and the route matcher: what comes out is UTF-8 without
   control bytes, and what matched has its parameters. */
#include "http_route.h"
#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *pattern;
	size_t params;
} routes[] = {{"/", 0},
	      {"/healthz", 0},
	      {"/api/ami/calls", 0},
	      {"/api/ami/calls/active", 0},
	      {"/api/ami/calls/{callId}", 1},
	      {"/api/ami/calls/{callId}/hold", 1},
	      {"/{a}/{b}/{c}", 3}};

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

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!http_route_matches(routes[i].pattern, uri, &rank))
			continue;
		if (http_route_params(routes[i].pattern, uri, params) != routes[i].params)
			abort();
		for (size_t param = 0; param < routes[i].params; param++)
			if (params[param].value[0] == '\0')
				abort();
	}
}

static void check_uri(const struct http_uri *uri)
{
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
	char *target = mem_strndup((const char *)data, size);
	struct http_uri uri;
	const char *error;

	if (http_uri_parse(target, &uri, &error) == 0)
		check_uri(&uri);
	http_uri_free(&uri);
	free(target);
	return 0;
}
