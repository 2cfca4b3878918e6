#include "input.h"
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 4096

struct heard {
	char text[MESSAGE_MAX * 2];
	unsigned texts, any;
};

static void hear_any(void *context)
{
	((struct heard *)context)->any++;
}

static void hear_text(const char *text, size_t len, void *context)
{
	struct heard *heard = context;
	strncat(heard->text, text, len);
	heard->texts++;
}

static const struct input_hooks hooks = {hear_any, hear_text};

/* A masked frame (mask "abcd"), as a client sends it. */
static void add_frame(struct buffer *out, int first_byte, const char *payload, size_t len)
{
	buffer_append_char(out, (char)first_byte);
	if (len < 126) {
		buffer_append_char(out, (char)(0x80 | len));
	} else {
		buffer_append_char(out, (char)(0x80 | 126));
		buffer_append_char(out, (char)(len >> 8));
		buffer_append_char(out, (char)len);
	}
	buffer_append(out, "abcd", 4);
	for (size_t i = 0; i < len; i++)
		buffer_append_char(out, (char)(payload[i] ^ "abcd"[i % 4]));
}

struct fed {
	enum input_end end;
	uint16_t code;
	bool idle; /* no context was left */
	struct heard heard;
	struct buffer replies;
};

static const struct input_limits limits = {MESSAGE_MAX, false};

/* Feeds in pieces of `step` bytes. */
static void feed(struct fed *fed, const struct buffer *bytes, size_t step)
{
	struct input *input = NULL;
	*fed = (struct fed){.end = INPUT_GOES_ON};
	for (size_t at = 0; at < bytes->len && fed->end == INPUT_GOES_ON; at += step) {
		size_t len = bytes->len - at < step ? bytes->len - at : step;
		char *piece = malloc(len); /* so that the sanitizer sees a read past its end */
		memcpy(piece, bytes->data + at, len);
		fed->end = input_feed(&input, piece, len, limits, &hooks, &fed->heard,
				      &fed->replies, &fed->code);
		free(piece);
	}
	fed->idle = input == NULL;
	input_free(&input);
}

static void fed_free(struct fed *fed, struct buffer *bytes)
{
	buffer_free(&fed->replies);
	buffer_free(bytes);
}

static void test_messages_in_pieces_of_any_size(void **state)
{
	struct buffer bytes = {0};
	char large[1000];
	(void)state;
	memset(large, 'x', sizeof(large));
	add_frame(&bytes, 0x81, "one", 3);
	add_frame(&bytes, 0x01, "tw", 2);
	add_frame(&bytes, 0x89, "ping", 4);
	add_frame(&bytes, 0x80, "o", 1);
	add_frame(&bytes, 0x81, large, sizeof(large));
	add_frame(&bytes, 0x81, "", 0);
	for (size_t step = 1; step < bytes.len; step += step < 16 ? 1 : 61) {
		struct fed fed;
		feed(&fed, &bytes, step);
		assert_int_equal(fed.end, INPUT_GOES_ON);
		assert_int_equal(fed.heard.texts, 4);
		assert_int_equal(fed.heard.any, 5);
		assert_memory_equal(fed.heard.text, "onetwoxxx", 9);
		assert_memory_equal(fed.replies.data, "\x8a\x04ping", 6);
		assert_true(fed.idle);
		buffer_free(&fed.replies);
	}
	buffer_free(&bytes);
}

static void test_a_context_stays_while_a_message_is_under_way(void **state)
{
	struct buffer bytes = {0};
	struct fed fed;
	(void)state;
	add_frame(&bytes, 0x01, "begun", 5);
	feed(&fed, &bytes, 4096);
	assert_false(fed.idle);
	buffer_free(&fed.replies);
	bytes.len -= 2;
	feed(&fed, &bytes, 4096);
	assert_false(fed.idle);
	buffer_free(&fed.replies);
	bytes.len = 1;
	feed(&fed, &bytes, 4096);
	assert_false(fed.idle);
	fed_free(&fed, &bytes);
}

static void expect_code(struct buffer *bytes, uint16_t code)
{
	struct fed whole, bytewise;
	feed(&whole, bytes, 65536);
	feed(&bytewise, bytes, 1);
	assert_int_equal(whole.end, INPUT_FAILED);
	assert_int_equal(whole.code, code);
	assert_int_equal(bytewise.end, INPUT_FAILED);
	assert_int_equal(bytewise.code, code);
	assert_true(whole.idle);
	assert_int_equal(whole.heard.texts, 0);
	buffer_free(&bytewise.replies);
	fed_free(&whole, bytes);
	*bytes = (struct buffer){0};
}

static void test_breaches(void **state)
{
	struct buffer bytes = {0};
	char large[200] = {0};
	(void)state;

	buffer_append(&bytes, "\x81\x02hi", 4); /* no mask */
	expect_code(&bytes, 1002);
	add_frame(&bytes, 0xc1, "rsv1", 4);
	expect_code(&bytes, 1002);
	add_frame(&bytes, 0x83, "opcode", 6);
	expect_code(&bytes, 1002);
	add_frame(&bytes, 0x80, "nothing to continue", 19);
	expect_code(&bytes, 1002);
	add_frame(&bytes, 0x01, "a", 1);
	add_frame(&bytes, 0x01, "new one inside", 14);
	expect_code(&bytes, 1002);
	add_frame(&bytes, 0x09, "fragmented ping", 15);
	expect_code(&bytes, 1002);
	add_frame(&bytes, 0x89, large, sizeof(large));
	expect_code(&bytes, 1002);
	buffer_append(&bytes,
		      "\x81\xfe\x00\x05"
		      "abcdhello",
		      13); /* a length in a longer form */
	expect_code(&bytes, 1002);
	buffer_append(&bytes,
		      "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		      "abcd",
		      14);
	expect_code(&bytes, 1002);
	buffer_append(&bytes,
		      "\x81\xff\x00\x00\x00\x00\x10\x00\x00\x00"
		      "abcdx",
		      15);
	expect_code(&bytes, 1009);
	add_frame(&bytes, 0x81, "\xc3\x28", 2);
	expect_code(&bytes, 1007);
	add_frame(&bytes, 0x81, "\xed\xa0\x80", 3);
	expect_code(&bytes, 1007);
	add_frame(&bytes, 0x81, "cut \xe2\x82", 6);
	expect_code(&bytes, 1007);
	add_frame(&bytes, 0x82, "binary", 6);
	expect_code(&bytes, 1003);
	add_frame(&bytes, 0x88, "\x03\xe7", 2); /* close with 999 */
	expect_code(&bytes, 1002);
	add_frame(&bytes, 0x88, "x", 1);
	expect_code(&bytes, 1002);
}

static void test_endless_empty_fragments_end(void **state)
{
	struct buffer bytes = {0};
	(void)state;
	add_frame(&bytes, 0x01, "", 0);
	for (int i = 0; i < 2000; i++)
		add_frame(&bytes, 0x00, "", 0);
	expect_code(&bytes, 1008);
}

static void test_a_message_in_fragments_past_the_bound(void **state)
{
	struct buffer bytes = {0};
	char half[3000];
	(void)state;
	memset(half, 'x', sizeof(half));
	add_frame(&bytes, 0x01, half, sizeof(half));
	add_frame(&bytes, 0x80, half, sizeof(half));
	expect_code(&bytes, 1009);
}

static void test_close_is_answered(void **state)
{
	struct buffer bytes = {0};
	struct fed fed;
	(void)state;
	add_frame(&bytes, 0x88,
		  "\x03\xe8"
		  "bye",
		  5);
	feed(&fed, &bytes, 65536);
	assert_int_equal(fed.end, INPUT_PEER_CLOSED);
	assert_memory_equal(fed.replies.data,
			    "\x88\x05\x03\xe8"
			    "bye",
			    7);
	assert_true(fed.idle);
	fed_free(&fed, &bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_in_pieces_of_any_size),
		cmocka_unit_test(test_a_context_stays_while_a_message_is_under_way),
		cmocka_unit_test(test_breaches),
		cmocka_unit_test(test_endless_empty_fragments_end),
		cmocka_unit_test(test_a_message_in_fragments_past_the_bound),
		cmocka_unit_test(test_close_is_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
