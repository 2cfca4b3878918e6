#include "ami_requests.h"

#include "buffer.h"
#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct buffer said; /* "name:part " for each call */
static struct ami_requests *requests;
static bool taken;

static void on_answer(enum ami_part part, const struct ami_message *message, void *context)
{
	assert_true((message == NULL) == (part == AMI_PART_LOST));
	buffer_printf(&said, "%s:%c ", (const char *)context, "FIlx"[part]);
}

static void on_message(const struct ami_message *message, void *context)
{
	(void)context;
	taken = ami_requests_take(requests, message);
}

/* Returns whether the last message was an answer. */
static bool feed(const char *text)
{
	struct ami_parser *parser = ami_parser_new(on_message, NULL);

	taken = false;
	ami_parser_feed(parser, text, strlen(text));
	ami_parser_free(&parser);
	return taken;
}

static int set_up(void **state)
{
	(void)state;
	requests = ami_requests_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ami_requests_free(&requests);
	ami_requests_free(&requests);
	buffer_free(&said);
	return 0;
}

static void test_answers_in_any_order(void **state)
{
	(void)state;
	ami_requests_add(requests, "a", on_answer, "a");
	ami_requests_add(requests, "b", on_answer, "b");
	ami_requests_add(requests, "c", on_answer, "c");
	assert_true(feed("Response: Success\r\nActionID: b\r\n\r\n"));
	assert_true(feed("Response: Error\r\nActionID: c\r\n\r\n"));
	assert_false(feed("Response: Success\r\nActionID: b\r\n\r\n"));
	assert_int_equal(ami_requests_count(requests), 1);
	ami_requests_add(requests, "d", on_answer, "d");
	ami_requests_lose(requests);
	assert_string_equal(buffer_str(&said), "b:l c:l a:x d:x ");
	assert_int_equal(ami_requests_count(requests), 0);
}

static void test_a_list(void **state)
{
	(void)state;
	ami_requests_add(requests, "a", on_answer, "a");
	assert_false(feed("Event: CoreShowChannel\r\nActionID: a\r\n\r\n")); /* no list yet */
	assert_true(feed("Response: Success\r\nActionID: a\r\nEventList: start\r\n\r\n"));
	assert_true(feed("Event: CoreShowChannel\r\nActionID: a\r\n\r\n"));
	assert_false(feed("Event: CoreShowChannel\r\nActionID: other\r\n\r\n"));
	assert_false(feed("Event: Newchannel\r\nUniqueid: 1\r\n\r\n"));
	assert_true(feed("Event: CoreShowChannelsComplete\r\nActionID: a\r\n"
			 "EventList: Complete\r\n\r\n"));
	assert_string_equal(buffer_str(&said), "a:F a:I a:l ");
}

static void test_what_a_caller_forges_does_not_count(void **state)
{
	(void)state;
	ami_requests_add(requests, "a", on_answer, "a");
	assert_true(feed("Response: Success\r\nActionID: a\r\nEventList: start\r\n\r\n"));
	assert_true(feed("Event: CoreShowChannel\r\nActionID: a\r\nCallerIDNum: 1\r\n"
			 "EventList: Complete\r\n\r\n"));
	assert_true(feed("Event: FakeComplete\r\nActionID: a\r\nEventList: start\r\n\r\n"));
	assert_false(feed("Event: X\r\nCallerIDNum: 1\r\nActionID: b\r\nActionID: a\r\n\r\n"));
	assert_false(feed("Forged: 1\r\nActionID: a\r\n\r\n"));
	assert_string_equal(buffer_str(&said), "a:F a:I a:I ");
	assert_int_equal(ami_requests_count(requests), 1);
}

static void test_how_long_the_oldest_waits(void **state)
{
	(void)state;
	assert_true(ami_requests_oldest_ms(requests) == INT64_MAX);
	clock_set(1000);
	ami_requests_add(requests, "a", on_answer, "a");
	clock_set(2000);
	ami_requests_add(requests, "b", on_answer, "b");
	clock_set(-1);
	assert_int_equal(ami_requests_oldest_ms(requests), 1000);
	feed("Response: Success\r\nActionID: a\r\n\r\n");
	assert_int_equal(ami_requests_oldest_ms(requests), 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers_in_any_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_a_caller_forges_does_not_count, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_how_long_the_oldest_waits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
