#include "deflate.h"
#include "handshake.h"
#include "unit.h"

#include <string.h>

/* The example of RFC 6455 section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define COMMON                                                                                     \
	"Host: mayday.example:8004\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define GOOD                                                                                       \
	"GET /ws HTTP/1.1\r\n" COMMON "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: "      \
	"13\r\n"

static unsigned refused_with(const char *head)
{
	struct request request;
	const struct request_refusal *refusal = request_parse(head, strlen(head), &request);
	if (refusal == NULL)
		refusal = handshake_check(&request);
	return refusal != NULL ? refusal->status : 101;
}

static void test_accepts_the_rfc_example(void **state)
{
	struct request request;
	struct buffer out = {0};
	(void)state;
	const char *head = GOOD "Sec-WebSocket-Protocol: chat, mayday.v1\r\n\r\n";

	assert_null(request_parse(head, strlen(head), &request));
	assert_null(handshake_check(&request));
	assert_string_equal(request.host, "mayday.example:8004");
	handshake_accept(&request, false, &out);
	assert_non_null(strstr(out.data, "HTTP/1.1 101 "));
	assert_non_null(strstr(out.data, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_non_null(strstr(out.data, "Sec-WebSocket-Protocol: mayday.v1\r\n\r\n"));
	buffer_free(&out);
}

static bool is_offered(const char *extensions)
{
	return deflate_is_offered((struct request_text){extensions, strlen(extensions)});
}

static void test_which_compression_is_agreed_on(void **state)
{
	(void)state;
	assert_true(is_offered("permessage-deflate"));
	assert_true(is_offered("x; y=1, permessage-deflate; client_max_window_bits"));
	assert_true(is_offered("permessage-deflate; server_max_window_bits=10, "
			       "permessage-deflate; server_max_window_bits=15"));
	assert_true(is_offered("permessage-deflate; client_no_context_takeover; "
			       "server_no_context_takeover; client_max_window_bits=9"));
	assert_false(is_offered(""));
	assert_false(is_offered("permessage-deflate; server_max_window_bits=10"));
	assert_false(is_offered("permessage-deflate; unknown"));
	assert_false(is_offered("x-webkit-deflate-frame"));
}

static void test_queries(void **state)
{
	static const char text[] = "EIO=4&a=b%20c%2C+d&empty&bad=%4&worse=%zz&nul=%00&a=2";
	struct request request = {.query = {text, sizeof(text) - 1}};
	char value[8];

	(void)state;
	assert_true(request_query(&request, "EIO", value, sizeof(value)));
	assert_string_equal(value, "4");
	assert_true(request_query(&request, "a", value, sizeof(value)));
	assert_string_equal(value, "b c, d");
	assert_false(request_query(&request, "a", value, 6));
	assert_true(request_query(&request, "empty", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_false(request_query(&request, "bad", value, sizeof(value)));
	assert_false(request_query(&request, "worse", value, sizeof(value)));
	assert_false(request_query(&request, "nul", value, sizeof(value)));
	assert_false(request_query(&request, "absent", value, sizeof(value)));
}

static void test_says_no(void **state)
{
	static const struct {
		unsigned status;
		const char *head;
	} cases[] = {
		{101, GOOD "\r\n"},
		{101, GOOD "Content-Length: 0\r\nX-Real-IP: 10.1.2.3\r\n\r\n"},
		{101, "GET /ws?a=b HTTP/1.1\r\n" COMMON "Sec-WebSocket-Key:" KEY
		      "\r\nSec-WebSocket-Version:\t13 \r\n\r\n"},
		{400, GOOD "Sec-WebSocket-Protocol: chat\r\n\r\n"},
		{400, GOOD "Host: other\r\n\r\n"},
		{400, GOOD "Sec-WebSocket-Key: " KEY "\r\n\r\n"},
		{400, GOOD "Sec-WebSocket-Version: 13\r\n\r\n"},
		{400, GOOD "Content-Length: 5\r\n\r\n"},
		{400, GOOD "Transfer-Encoding: chunked\r\n\r\n"},
		{400, GOOD " folded: line\r\n\r\n"},
		{400, GOOD "no colon\r\n\r\n"},
		{400, GOOD "a b: c\r\n\r\n"},
		{400, GOOD ": empty name\r\n\r\n"},
		{400, GOOD "X: a\nb\r\n\r\n"},
		{400, GOOD "X: a\x01\r\n\r\n"},
		{400, "GET /ws HTTP/1.0\r\n" COMMON "\r\n"},
		{400, "GET /ws\r\n\r\n"},
		{400, "GET http://x/ws HTTP/1.1\r\n\r\n"},
		{400, "\r\n\r\n"},
		{400, "GET /ws HTTP/1.1\r\n\r\n"},
		{400, "GET /ws HTTP/1.1\r\nHost: h\r\n\r\n"},
		{400, "GET /ws HTTP/1.1\r\n" COMMON "Sec-WebSocket-Version: 13\r\n\r\n"},
		{400, "GET /ws HTTP/1.1\r\n" COMMON
		      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short==\r\n\r\n"},
		{400, "GET /ws HTTP/1.1\r\n" COMMON "Sec-WebSocket-Version: 13\r\n"
		      "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n\r\n"},
		{426, "GET /ws HTTP/1.1\r\n" COMMON "Sec-WebSocket-Version: 8\r\n"
		      "Sec-WebSocket-Key: " KEY "\r\n\r\n"},
		{400, GOOD "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"},
		{400, GOOD "Content-Length: -1\r\n\r\n"},
		{400, GOOD "Content-Length: 9999999999\r\n\r\n"},
		{400, "GET /ws http/1.1\r\n" COMMON "\r\n"},
		{405, "get /ws HTTP/1.1\r\n" COMMON "\r\n"},
		{405, "POST /ws HTTP/1.1\r\n" COMMON "\r\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (refused_with(cases[i].head) != cases[i].status)
			fail_msg("case %zu: %u, not %u\n%s", i, refused_with(cases[i].head),
				 cases[i].status, cases[i].head);
	}
}

static void test_head_ends_at_the_blank_line(void **state)
{
	(void)state;
	assert_int_equal(request_head_len("GET / HTTP/1.1\r\n\r", 17), 0);
	assert_int_equal(request_head_len("a\r\n\r\nrest", 9), 5);
	assert_int_equal(request_head_len("", 0), 0);
}

static bool origin_passes(const char *origin, const char *allowed)
{
	struct request request = {.host = "Mayday.example:8004"};
	strcpy(request.origin, origin);
	return request_origin_allowed(&request, allowed);
}

static void test_origins(void **state)
{
	(void)state;
	assert_true(origin_passes("", ""));
	assert_true(origin_passes("https://mayday.example:8004", ""));
	assert_false(origin_passes("https://evil.example", ""));
	assert_false(origin_passes("https://mayday.example", ""));
	assert_false(origin_passes("null", "https://a.example"));
	assert_true(origin_passes("https://b.example", "https://a.example  https://b.example"));
	assert_false(origin_passes("https://b.example.evil", "https://b.example"));
	assert_true(origin_passes("null", "*"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts_the_rfc_example),
		cmocka_unit_test(test_says_no),
		cmocka_unit_test(test_which_compression_is_agreed_on),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_head_ends_at_the_blank_line),
		cmocka_unit_test(test_origins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
