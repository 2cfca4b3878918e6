#include "ami_parser.h"

#include "buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What came, one line per message: kind, then key=value; for each header. */
struct seen {
	struct buffer text;
	size_t messages;
	struct ami_parser *parser;
	bool stop;
};

static void on_message(const struct ami_message *message, void *context)
{
	struct seen *seen = context;

	seen->messages++;
	buffer_append_char(&seen->text, "ERT"[message->kind]);
	for (size_t i = 0; i < message->count; i++) {
		const struct ami_header *header = &message->headers[i];

		buffer_append_char(&seen->text, ' ');
		buffer_append(&seen->text, header->key, header->key_len);
		buffer_append_char(&seen->text, '=');
		buffer_append(&seen->text, header->value, header->value_len);
	}
	buffer_append_char(&seen->text, '|');
	if (seen->stop)
		ami_parser_stop(seen->parser);
}

static void feed_in_steps(struct seen *seen, const char *text, size_t len, size_t step)
{
	if (seen->parser == NULL)
		seen->parser = ami_parser_new(on_message, seen);
	for (size_t at = 0; at < len; at += step) {
		/* An exact copy, so that a read past its end is seen. */
		size_t part = len - at < step ? len - at : step;
		char *copy = malloc(part);

		memcpy(copy, text + at, part);
		ami_parser_feed(seen->parser, copy, part);
		free(copy);
	}
}

static void seen_free(struct seen *seen)
{
	ami_parser_free(&seen->parser);
	buffer_free(&seen->text);
}

static void expect(const char *text, size_t len, const char *expected)
{
	static const size_t steps[] = {1, 2, 3, 5, 7, 16, 61, 4096};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct seen seen = {0};

		feed_in_steps(&seen, text, len, steps[i]);
		assert_string_equal(buffer_str(&seen.text), expected);
		seen_free(&seen);
	}
}

#define EXPECT(text, expected) expect(text, sizeof(text) - 1, expected)

static void test_messages(void **state)
{
	(void)state;
	EXPECT("Event: A\r\nB: c\r\n\r\nResponse: Success\r\nActionID: 1\r\n\r\n",
	       "E Event=A B=c|R Response=Success ActionID=1|");
	EXPECT("Event:NoSpace\r\nTwo:  blanks\r\nEmpty: \r\nBare:\r\n\r\n",
	       "E Event=NoSpace Two= blanks Empty= Bare=|");
	EXPECT("Event: A\r\nK: 1\r\nK: 2\r\n\r\n", "E Event=A K=1 K=2|");
	EXPECT("Event: A\r\nUnder: way", "");
	EXPECT("\r\n\r\nEvent: A\r\n\r\n\r\n\r\n", "E Event=A|");
}

static void test_only_cr_lf_ends_a_line(void **state)
{
	(void)state;
	EXPECT("Event: A\r\nValue: one\ntwo: x\n\nthree\r\n\r\n",
	       "E Event=A Value=one\ntwo: x\n\nthree|");
	EXPECT("Event: A\r\nValue: a\rb\r\r\nC: d\r\n\r\n", "E Event=A Value=a\rb\r C=d|");
	EXPECT("Event: A\r\n\nOdd: 1\r\n\r\n", "E Event=A \nOdd=1|");
}

static void test_torn_and_odd(void **state)
{
	struct seen seen = {0};
	static const char text[] = "Name: rest\r\nUniqueid: 1\r\n\r\nEvent: A\r\nno colon\r\n\r\n"
				   "only text\r\n\r\n: no key\r\n\r\n";

	(void)state;
	feed_in_steps(&seen, text, sizeof(text) - 1, 9);
	assert_string_equal(buffer_str(&seen.text), "T Name=rest Uniqueid=1|E Event=A|T =no key|");
	assert_int_equal(ami_parser_stats(seen.parser)->torn, 2);
	assert_int_equal(ami_parser_stats(seen.parser)->odd_lines, 2);
	assert_int_equal(ami_parser_stats(seen.parser)->events, 1);
	assert_int_equal(ami_parser_stats(seen.parser)->bytes, sizeof(text) - 1);
	seen_free(&seen);
}

static void feed_filled(struct seen *seen, size_t len, size_t step)
{
	char *filler = malloc(len);

	memset(filler, 'x', len);
	feed_in_steps(seen, filler, len, step);
	free(filler);
}

static void expect_skipped(size_t value, size_t step)
{
	struct seen seen = {0};

	feed_in_steps(&seen, "Event: Big\r\nA: 1\r\nValue: ", 25, 25);
	feed_filled(&seen, value, step);
	feed_in_steps(&seen, "\r\nTail: 1\r\n\r\nEvent: Next\r\n\r\n", 28, step);
	assert_string_equal(buffer_str(&seen.text), "E Event=Next|");
	assert_int_equal(ami_parser_stats(seen.parser)->oversize, 1);
	seen_free(&seen);
}

static void test_oversize_is_skipped_whole(void **state)
{
	struct seen seen = {0};

	(void)state;
	expect_skipped(AMI_MESSAGE_MAX, 65536);
	expect_skipped(AMI_MESSAGE_MAX + 77777, 4099);
	expect_skipped(3000000, 3000000);
	expect_skipped(1000000, 65536);
	feed_in_steps(&seen, "Event: Fits\r\nValue: ", 20, 20);
	feed_filled(&seen, AMI_MESSAGE_MAX - 100, 1000);
	feed_in_steps(&seen, "\r\n\r\n", 4, 1);
	assert_int_equal(seen.messages, 1);
	assert_int_equal(ami_parser_stats(seen.parser)->oversize, 0);
	seen_free(&seen);
}

static void feed_headers(struct seen *seen, size_t count)
{
	struct buffer text = {0};

	buffer_append_str(&text, "Event: Many\r\n");
	for (size_t i = 1; i < count; i++)
		buffer_printf(&text, "K%zu: %zu\r\n", i, i);
	buffer_append_str(&text, "\r\n");
	feed_in_steps(seen, text.data, text.len, 333);
	buffer_free(&text);
}

static void test_too_many_headers(void **state)
{
	struct seen seen = {0};

	(void)state;
	feed_headers(&seen, AMI_HEADERS_MAX + 1);
	assert_int_equal(seen.messages, 0);
	assert_int_equal(ami_parser_stats(seen.parser)->oversize, 1);
	feed_headers(&seen, AMI_HEADERS_MAX);
	assert_int_equal(seen.messages, 1);
	seen_free(&seen);
}

static void test_stop_in_callback(void **state)
{
	struct seen seen = {.stop = true};

	(void)state;
	feed_in_steps(&seen, "Event: A\r\n\r\nEvent: B\r\n\r\n", 24, 24);
	feed_in_steps(&seen, "Event: C\r\n\r\n", 12, 12);
	assert_string_equal(buffer_str(&seen.text), "E Event=A|");
	seen_free(&seen);
}

static void check_finders(const struct ami_message *message, void *context)
{
	char text[4];

	assert_true(ami_header_is(ami_first(message, "Uniqueid"), "forged"));
	assert_true(ami_header_is(ami_last(message, "Uniqueid"), "1.2"));
	assert_null(ami_first(message, "uniqueid"));
	assert_null(ami_last(message, "Uniqueidx"));
	assert_false(ami_header_is(NULL, ""));
	ami_header_copy(ami_first(message, "Uniqueid"), text, sizeof(text));
	assert_string_equal(text, "for");
	ami_header_copy(ami_first(message, "Message"), text, sizeof(text));
	assert_string_equal(text, "ok");
	ami_header_copy(NULL, text, sizeof(text));
	assert_string_equal(text, "");
	*(bool *)context = true;
}

static void test_finders(void **state)
{
	static const char text[] =
		"Event: A\r\nUniqueid: forged\r\nMessage: ok\n\r\nUniqueid: 1.2\r\n\r\n";
	bool called = false;
	struct ami_parser *parser = ami_parser_new(check_finders, &called);

	(void)state;
	ami_parser_feed(parser, text, sizeof(text) - 1);
	assert_true(called);
	ami_parser_free(&parser);
	ami_parser_free(&parser);
}

/* The text of a recording, without the banner. */
static char *load(const char *path, size_t *len_r)
{
	FILE *file = fopen(path, "rb");
	char *text;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*len_r = (size_t)ftell(file);
	rewind(file);
	text = malloc(*len_r);
	assert_int_equal(fread(text, 1, *len_r, file), *len_r);
	fclose(file);
	return text;
}

static void test_a_recording_reads_the_same_however_it_is_cut(void **state)
{
	static const size_t steps[] = {1, 13, 1000, 65536, 10000000};
	struct buffer first = {0};
	size_t len;
	char *text = load("tests/data/ami/p1-twenty-calls.ami", &len);
	size_t banner = strlen("Asterisk Call Manager/11.0.0\r\n");

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct seen seen = {0};

		feed_in_steps(&seen, text + banner, len - banner, steps[i]);
		assert_int_equal(seen.messages, 2633);
		assert_int_equal(ami_parser_stats(seen.parser)->torn, 0);
		assert_int_equal(ami_parser_stats(seen.parser)->odd_lines, 0);
		if (first.len == 0)
			buffer_append(&first, seen.text.data, seen.text.len);
		assert_int_equal(seen.text.len, first.len);
		assert_memory_equal(seen.text.data, first.data, first.len);
		seen_free(&seen);
	}
	buffer_free(&first);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_only_cr_lf_ends_a_line),
		cmocka_unit_test(test_torn_and_odd),
		cmocka_unit_test(test_oversize_is_skipped_whole),
		cmocka_unit_test(test_too_many_headers),
		cmocka_unit_test(test_stop_in_callback),
		cmocka_unit_test(test_finders),
		cmocka_unit_test(test_a_recording_reads_the_same_however_it_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
