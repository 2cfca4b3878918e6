#include "http_uri.h"

#include "buffer.h"
#include "unit.h"

#include <string.h>

static void good(const char *target, struct http_uri *uri)
{
	const char *error = NULL;

	if (http_uri_parse(target, uri, &error) != 0)
		fail_msg("%s: %s", target, error);
}

static void bad(const char *target)
{
	struct http_uri uri;
	const char *error = NULL;

	if (http_uri_parse(target, &uri, &error) == 0)
		fail_msg("taken: %s", target);
	assert_non_null(error);
	http_uri_free(&uri);
}

static void test_splits_and_decodes_once(void **state)
{
	struct http_uri uri;

	(void)state;
	good("/api/calls/a%2fb%2525/x+y?q=1%202+3&empty=&bare&%C3%A9=%26", &uri);
	assert_string_equal(uri.path, "/api/calls/a%2fb%2525/x+y");
	assert_int_equal(uri.segment_count, 4);
	assert_string_equal(uri.segments[0], "api");
	assert_string_equal(uri.segments[2], "a/b%25");
	assert_string_equal(uri.segments[3], "x+y");
	assert_string_equal(http_uri_query(&uri, "q"), "1 2 3");
	assert_string_equal(http_uri_query(&uri, "empty"), "");
	assert_string_equal(http_uri_query(&uri, "bare"), "");
	assert_string_equal(http_uri_query(&uri, "\xc3\xa9"), "&");
	assert_null(http_uri_query(&uri, "other"));
	http_uri_free(&uri);
}

static void test_empty_parts(void **state)
{
	struct http_uri uri;

	(void)state;
	good("/", &uri);
	assert_int_equal(uri.segment_count, 1);
	assert_string_equal(uri.segments[0], "");
	http_uri_free(&uri);
	good("/a//b/?", &uri);
	assert_int_equal(uri.segment_count, 4);
	assert_string_equal(uri.segments[1], "");
	assert_string_equal(uri.segments[3], "");
	assert_int_equal(uri.query_count, 0);
	http_uri_free(&uri);
}

static void test_refuses(void **state)
{
	static const char *const targets[] = {
		"",
		"*",
		"api",
		"http://host/a",
		"/%",
		"/a%2",
		"/a%g0",
		"/a%0g",
		"/a%00b",
		"/a%0d%0ab",
		"/a%7f",
		"/a%1fb",
		"/a%ff",
		"/%c3",
		"/%c0%af",
		"/%ed%a0%80",
		"/a b",
		"/a\tb",
		"/a\x01",
		"/a\x7f",
		"/\xc3\xa9",
		"/a#b",
		"/a\"b",
		"/a\\b",
		"/a<b>",
		"/a?b=%",
		"/a?b=%00",
		"/a?b=%0a",
		"/a?b=\xff",
		"/a?=1",
		"/a?a&&b",
		"/a?a=1&",
		"/a?&",
		"/a?x=1&x=2",
		"/a?x=1&%78=2",
		"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		bad(targets[i]);
}

static void test_bounds(void **state)
{
	struct buffer target = {0};
	struct http_uri uri;

	(void)state;
	buffer_append_str(&target, "/a?p0=v");
	for (int i = 1; i < HTTP_QUERY_MAX; i++)
		buffer_printf(&target, "&p%d=v", i);
	good(target.data, &uri);
	assert_int_equal(uri.query_count, HTTP_QUERY_MAX);
	http_uri_free(&uri);
	buffer_append_str(&target, "&one-more");
	bad(target.data);
	buffer_clear(&target);
	for (int i = 0; i < HTTP_SEGMENTS_MAX; i++)
		buffer_append_str(&target, "/s");
	good(target.data, &uri);
	http_uri_free(&uri);
	buffer_free(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits_and_decodes_once),
		cmocka_unit_test(test_empty_parts),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
