#include "ami_json.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void write_event(const struct ami_message *message, void *context)
{
	ami_json_event(message, 1640995200000, 7, context);
}

static void expect(const char *text, size_t len, const char *expected)
{
	struct buffer out = {0};
	struct ami_parser *parser = ami_parser_new(write_event, &out);
	const char *error = NULL;
	cJSON *json;

	ami_parser_feed(parser, text, len);
	assert_string_equal(buffer_str(&out), expected);
	json = json_parse(out.data, out.len, &error);
	assert_non_null(json);
	cJSON_Delete(json);
	ami_parser_free(&parser);
	buffer_free(&out);
}

#define EXPECT(text, members)                                                                      \
	expect(text "\r\n\r\n", sizeof(text "\r\n\r\n") - 1,                                       \
	       "{\"t\":1640995200000,\"n\":7," members "}")

static void test_events(void **state)
{
	(void)state;
	EXPECT("Event: A\r\nExten: 1002\r\nEmpty: ",
	       "\"Event\":\"A\",\"Exten\":\"1002\",\"Empty\":\"\"");
}

static void test_repeated_headers_become_an_array_in_the_first_place(void **state)
{
	(void)state;
	EXPECT("Event: A\r\nK: 1\r\nB: x\r\nK: \"2\"\r\nK: 3\r\nB: y",
	       "\"Event\":\"A\",\"K\":[\"1\",\"\\\"2\\\"\",\"3\"],\"B\":[\"x\",\"y\"]");
}

static void test_an_event_has_one_name(void **state)
{
	(void)state;
	EXPECT("Event: A\r\nExten: 1\r\nEvent: MaydayDown", "\"Event\":\"A\",\"Exten\":\"1\"");
}

static void test_our_own_members_cannot_be_forged(void **state)
{
	(void)state;
	EXPECT("Event: A\r\nt: 1\r\nn: 2\r\ntt: 3",
	       "\"Event\":\"A\",\"T\":\"1\",\"N\":\"2\",\"tt\":\"3\"");
}

static void test_odd_bytes(void **state)
{
	(void)state;
	EXPECT("Event: A\r\nV: a\"b\\c\td\x01", "\"Event\":\"A\",\"V\":\"a\\\"b\\\\c\\td\\u0001\"");
	EXPECT("Event: A\r\nV: long enough \xff\xfe\xd0\x98!",
	       "\"Event\":\"A\",\"V\":\"long enough \xef\xbf\xbd\xef\xbf\xbd\xd0\x98!\"");
	EXPECT("Event: A\r\nV: 12345678\n", "\"Event\":\"A\",\"V\":\"12345678\\n\"");
	EXPECT("Event: A\r\nK\"\xc3: 1", "\"Event\":\"A\",\"K\\\"\xef\xbf\xbd\":\"1\"");
	EXPECT("Event: A\r\nV: a\0b", "\"Event\":\"A\",\"V\":\"a\xef\xbf\xbd"
				      "b\"");
}

static void write_fields(const struct ami_message *message, void *context)
{
	static const char *const skip[] = {"Response", "ActionID", NULL};

	ami_json_headers(message, skip, context);
}

static void test_headers_but_some(void **state)
{
	static const char text[] = "Response: Success\r\nActionID: 1\r\nPing: Pong\r\nA: b\r\n\r\n"
				   "Response: Success\r\nActionID: 1\r\n\r\n";
	struct buffer out = {0};
	struct ami_parser *parser = ami_parser_new(write_fields, &out);

	(void)state;
	ami_parser_feed(parser, text, sizeof(text) - 1);
	assert_string_equal(buffer_str(&out), "{\"Ping\":\"Pong\",\"A\":\"b\"}{}");
	ami_parser_free(&parser);
	buffer_free(&out);
}

/* Every byte value in every place of a run of 24, against the plain escaping of libcommon. */
static void test_fast_and_plain_escaping_agree(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		for (size_t at = 0; at < 24; at++) {
			struct buffer fast = {0};
			struct buffer plain = {0};
			char text[24];
			struct ami_header header = {"Key", text, 3, sizeof(text)};
			struct ami_message message = {AMI_EVENT, &header, 1};

			memset(text, 'a', sizeof(text));
			text[at] = (char)byte;
			ami_json_event(&message, 1, 2, &fast);
			buffer_append_str(&plain, "{\"t\":1,\"n\":2,\"Key\":");
			json_escape(&plain, text, sizeof(text));
			buffer_append_str(&plain, "}");
			if (byte != 0x7f && byte != 0) /* see put_text() */
				assert_string_equal(buffer_str(&fast), buffer_str(&plain));
			buffer_free(&fast);
			buffer_free(&plain);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_repeated_headers_become_an_array_in_the_first_place),
		cmocka_unit_test(test_an_event_has_one_name),
		cmocka_unit_test(test_our_own_members_cannot_be_forged),
		cmocka_unit_test(test_odd_bytes),
		cmocka_unit_test(test_headers_but_some),
		cmocka_unit_test(test_fast_and_plain_escaping_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
