#include "http_route.h"

#include "unit.h"

#include <string.h>

static bool matches(const char *pattern, const char *target, uint32_t *rank_r)
{
	struct http_uri uri;
	const char *error;
	bool result;

	assert_int_equal(http_uri_parse(target, &uri, &error), 0);
	result = http_route_matches(pattern, &uri, rank_r);
	http_uri_free(&uri);
	return result;
}

static void test_matches(void **state)
{
	static const struct {
		const char *pattern, *target;
		bool fits;
	} cases[] = {
		{"/", "/", true},
		{"/", "/a", false},
		{"/a", "/a", true},
		{"/a", "/a/", false},
		{"/a", "/ab", false},
		{"/ab", "/a", false},
		{"/a", "/", false},
		{"/a", "/%61", true},
		{"/a/b", "/a%2fb", false},
		{"/{id}", "/x", true},
		{"/{id}", "/", false},
		{"/calls/{id}", "/calls/", false},
		{"/calls/{id}", "/calls", false},
		{"/calls/{id}", "/calls/1/hold", false},
		{"/calls/{id}/hold", "/calls/1/hold", true},
		{"/calls/{id}/hold", "/calls/1/unhold", false},
		{"/{a}/x/{b}", "/1/x/2", true},
	};
	uint32_t rank;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (matches(cases[i].pattern, cases[i].target, &rank) != cases[i].fits)
			fail_msg("%s and %s", cases[i].pattern, cases[i].target);
}

static void test_literal_is_more_specific(void **state)
{
	uint32_t literal, param;

	(void)state;
	assert_true(matches("/calls/active", "/calls/active", &literal));
	assert_true(matches("/calls/{id}", "/calls/active", &param));
	assert_true(literal > param);
	assert_true(matches("/a/{x}/{y}", "/a/b/c", &literal));
	assert_true(matches("/{x}/b/c", "/a/b/c", &param));
	assert_true(literal > param);
}

static void test_params(void **state)
{
	struct http_pair params[HTTP_SEGMENTS_MAX];
	struct http_uri uri;
	const char *error;

	(void)state;
	assert_int_equal(http_uri_parse("/a/1%2F2/b/caf%C3%A9", &uri, &error), 0);
	assert_int_equal(http_route_params("/a/{first}/b/{second}", &uri, params), 2);
	assert_memory_equal(params[0].name, "first}", 6);
	assert_string_equal(params[0].value, "1/2");
	assert_memory_equal(params[1].name, "second}", 7);
	assert_string_equal(params[1].value, "caf\xc3\xa9");
	http_uri_free(&uri);
}

static void test_methods(void **state)
{
	struct buffer allow = {0};

	(void)state;
	assert_true(http_route_serves("GET", "GET"));
	assert_true(http_route_serves("GET", "HEAD"));
	assert_false(http_route_serves("POST", "HEAD"));
	assert_false(http_route_serves("GET", "get"));
	http_route_allow(&allow, "GET");
	http_route_allow(&allow, "POST");
	http_route_allow(&allow, "GET");
	http_route_allow(&allow, "POST");
	assert_string_equal(allow.data, "GET, HEAD, POST");
	buffer_free(&allow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_literal_is_more_specific),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
