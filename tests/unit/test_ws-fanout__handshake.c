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
	struct handshake handshake;
	const struct handshake_refusal *refusal = handshake_parse(head, strlen(head), &handshake);
	return refusal != NULL ? refusal->status : 101;
}

static void test_accepts_the_rfc_example(void **state)
{
	struct handshake handshake;
	struct buffer out = {0};
	(void)state;
	const char *head = GOOD "Sec-WebSocket-Protocol: chat, mayday.v1\r\n\r\n";

	assert_null(handshake_parse(head, strlen(head), &handshake));
	assert_string_equal(handshake.host, "mayday.example:8004");
	handshake_accept(&handshake, &out);
	assert_non_null(strstr(out.data, "HTTP/1.1 101 "));
	assert_non_null(strstr(out.data, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_non_null(strstr(out.data, "Sec-WebSocket-Protocol: mayday.v1\r\n\r\n"));
	buffer_free(&out);
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
		{404, "GET /other HTTP/1.1\r\n" COMMON "\r\n"},
		{404, "GET /Ws HTTP/1.1\r\n" COMMON "\r\n"},
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
	assert_int_equal(handshake_head_len("GET / HTTP/1.1\r\n\r", 17), 0);
	assert_int_equal(handshake_head_len("a\r\n\r\nrest", 9), 5);
	assert_int_equal(handshake_head_len("", 0), 0);
}

static bool origin_passes(const char *origin, const char *allowed)
{
	struct handshake handshake = {.host = "Mayday.example:8004"};
	strcpy(handshake.origin, origin);
	return handshake_origin_allowed(&handshake, allowed);
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
		cmocka_unit_test(test_head_ends_at_the_blank_line),
		cmocka_unit_test(test_origins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
