#include "outbox.h"
#include "unit.h"

#include <string.h>

static void push(struct outbox *outbox, const char *text, uint64_t key)
{
	struct frame *frame = frame_raw(text, strlen(text));

	frame->key = key;
	outbox_push(outbox, frame);
	frame_unref(&frame);
}

/* Everything that would be written, as one string. */
static const char *waiting(const struct outbox *outbox)
{
	static char text[4096];
	uv_buf_t bufs[64];
	unsigned count = outbox_peek(outbox, bufs, 64);
	size_t len = 0;

	for (unsigned i = 0; i < count; i++) {
		memcpy(text + len, bufs[i].base, bufs[i].len);
		len += bufs[i].len;
	}
	text[len] = '\0';
	return text;
}

static void test_partial_writes(void **state)
{
	struct outbox outbox = {0};

	(void)state;
	push(&outbox, "one", 0);
	push(&outbox, "two", 0);
	push(&outbox, "three", 0);
	assert_int_equal(outbox.bytes, 11);
	assert_int_equal(outbox_written(&outbox, 4), 1);
	assert_string_equal(waiting(&outbox), "wothree");
	assert_int_equal(outbox_written(&outbox, 0), 0);
	assert_int_equal(outbox_written(&outbox, 2), 1);
	assert_int_equal(outbox_written(&outbox, 5), 1);
	assert_int_equal(outbox.count, 0);
	assert_true(outbox_is_sane(&outbox));
	outbox_free(&outbox);
}

static void test_the_last_of_a_key_stays(void **state)
{
	struct outbox outbox = {0};

	(void)state;
	push(&outbox, "a1 ", 1);
	push(&outbox, "b1 ", 2);
	push(&outbox, "x ", 0);
	push(&outbox, "a2 ", 1);
	push(&outbox, "x ", 0);
	push(&outbox, "a3 ", 1);
	assert_int_equal(outbox_coalesce(&outbox), 2);
	assert_string_equal(waiting(&outbox), "b1 x x a3 ");
	assert_int_equal(outbox.bytes, 10);
	assert_int_equal(outbox_coalesce(&outbox), 0);
	outbox_free(&outbox);
}

static void test_what_is_on_its_way_stays(void **state)
{
	struct outbox outbox = {0};

	(void)state;
	push(&outbox, "a1 ", 1);
	push(&outbox, "a2 ", 1);
	push(&outbox, "a3 ", 1);
	push(&outbox, "a4 ", 1);
	outbox_hold(&outbox, 2);
	assert_int_equal(outbox_coalesce(&outbox), 1);
	assert_string_equal(waiting(&outbox), "a1 a2 a4 ");
	outbox_drop_waiting(&outbox);
	assert_string_equal(waiting(&outbox), "a1 a2 ");
	assert_int_equal(outbox_written(&outbox, 4), 1);
	push(&outbox, "a5 ", 1);
	assert_int_equal(outbox_coalesce(&outbox), 0);
	outbox_drop_waiting(&outbox);
	assert_string_equal(waiting(&outbox), "2 ");
	outbox_free(&outbox);
}

static void test_frames_are_shared_and_released(void **state)
{
	struct outbox outboxes[3] = {0};
	struct frame *frame = frame_text("event", 5);

	(void)state;
	for (int i = 0; i < 3; i++)
		outbox_push(&outboxes[i], frame);
	assert_int_equal(frame->refs, 4);
	outbox_written(&outboxes[0], frame->len);
	outbox_drop_waiting(&outboxes[1]);
	outbox_free(&outboxes[2]);
	assert_int_equal(frame->refs, 1);
	frame_unref(&frame);
	assert_null(frame);
	outbox_free(&outboxes[0]);
	outbox_free(&outboxes[1]);
}

static void test_many_frames(void **state)
{
	struct outbox outbox = {0};
	size_t written = 0;

	(void)state;
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 50; i++)
			push(&outbox, "0123456789", (uint64_t)(i % 7));
		if (round % 50 == 49)
			outbox_coalesce(&outbox);
		written += outbox_written(&outbox, outbox.bytes < 333 ? outbox.bytes : 333);
	}
	assert_true(written > 5000);
	outbox_written(&outbox, outbox.bytes);
	assert_int_equal(outbox.count, 0);
	assert_true(outbox.cap <= 8);
	outbox_free(&outbox);
}

static void test_headers(void **state)
{
	static const struct {
		size_t len;
		const char *header;
		size_t header_len;
	} cases[] = {
		{0, "\x81\x00", 2},
		{125, "\x81\x7d", 2},
		{126, "\x81\x7e\x00\x7e", 4},
		{65535, "\x81\x7e\xff\xff", 4},
		{65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10},
	};
	static char text[65536];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame *frame = frame_text(text, cases[i].len);

		assert_memory_equal(frame->data, cases[i].header, cases[i].header_len);
		assert_int_equal(frame->len, cases[i].header_len + cases[i].len);
		frame_unref(&frame);
	}
	memset(text, 'r', 200);
	struct frame *frame = frame_close(4403, text);
	assert_memory_equal(frame->data, "\x88\x7d\x11\x33rr", 6);
	assert_int_equal(frame->len, 127);
	frame_unref(&frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partial_writes),
		cmocka_unit_test(test_the_last_of_a_key_stays),
		cmocka_unit_test(test_what_is_on_its_way_stays),
		cmocka_unit_test(test_frames_are_shared_and_released),
		cmocka_unit_test(test_many_frames),
		cmocka_unit_test(test_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
