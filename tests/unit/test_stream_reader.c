/* Batches from a real Redis: what is pending once after each connect, then what is new. */
#include "mem.h"
#include "redis_fixture.h"
#include "stream_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 4096

static uv_loop_t loop;
static struct redis_server server;
static struct stream_reader *reader;
static struct stream_reader_settings set;
static const char *streams[3];

static struct seen {
	char data[32];
	char id[48];
	const char *stream;
	bool replayed;
} seen[SEEN_MAX];
static size_t count, batches, largest;
static int ups, downs;
static bool ack, hold_batch, close_in_batch; /* what on_batch does */

static void on_batch(const struct stream_entry *entries, size_t entries_count, void *context)
{
	assert_ptr_equal(context, &set);
	batches++;
	largest = entries_count > largest ? entries_count : largest;
	for (size_t i = 0; i < entries_count; i++) {
		struct seen *at = &seen[count++];

		assert_true(count < SEEN_MAX);
		assert_int_equal(strlen(entries[i].data), entries[i].len);
		snprintf(at->data, sizeof(at->data), "%s", entries[i].data);
		snprintf(at->id, sizeof(at->id), "%s", entries[i].id);
		at->stream = entries[i].stream;
		at->replayed = entries[i].replayed;
		if (ack)
			redis_server_do(&server, "XACK %s group %s", entries[i].stream,
					entries[i].id);
	}
	if (close_in_batch)
		stream_reader_close(&reader);
	else if (!hold_batch)
		stream_reader_next(reader);
}

static void on_up(void *context)
{
	(void)context;
	ups++;
}

static void on_down(const char *reason, void *context)
{
	(void)reason;
	(void)context;
	downs++;
}

static void forget(void)
{
	count = batches = largest = 0;
}

static void open_reader(void)
{
	forget();
	ups = downs = 0;
	reader = stream_reader_open(&loop, &set);
}

static void open_reader_and_wait(void)
{
	open_reader();
	turn_until(&loop, ups == 1);
}

static void add(const char *stream, int first, int last)
{
	for (int i = first; i <= last; i++)
		redis_server_do(&server, "XADD %s * e %d", stream, i);
}

static void expect_numbers(int first, int last, bool replayed)
{
	assert_int_equal(count, last - first + 1);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(atoi(seen[i].data), first + (int)i);
		assert_int_equal(seen[i].replayed, replayed);
	}
}

static long long pending(const char *stream)
{
	redisReply *reply = redis_server_ask(&server, "XPENDING %s group", stream);
	long long number;

	assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
	number = reply->element[0]->integer;
	freeReplyObject(reply);
	return number;
}

static int set_up(void **state)
{
	(void)state;
	uv_loop_init(&loop);
	redis_server_prepare(&server, "--appendonly yes --appendfsync no");
	redis_server_start(&server);
	streams[0] = "a";
	streams[1] = streams[2] = NULL;
	set = (struct stream_reader_settings){
		.redis = &server.settings,
		.streams = streams,
		.group = "group",
		.consumer = "me",
		.batch_max = 10,
		.block_ms = 200,
		.on_batch = on_batch,
		.on_up = on_up,
		.on_down = on_down,
		.context = &set,
	};
	ack = true;
	hold_batch = close_in_batch = false;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stream_reader_close(&reader);
	finish_loop(&loop);
	redis_server_remove(&server);
	return 0;
}

/* ---- with a group ---- */

static void test_from_the_beginning_then_new(void **state)
{
	(void)state;
	add("a", 1, 25);
	open_reader();
	turn_until(&loop, count == 25);
	assert_int_equal(largest, 10);
	turn_for(&loop, 500); /* several times nothing new */
	add("a", 26, 30);
	turn_until(&loop, count == 30);
	expect_numbers(1, 30, false);
	assert_string_equal(seen[0].stream, "a");
	assert_int_equal(pending("a"), 0);
	assert_int_equal(downs, 0);
}

static void test_what_is_pending_comes_again_once(void **state)
{
	(void)state;
	add("a", 1, 35);
	ack = false;
	open_reader();
	turn_until(&loop, count == 35);
	stream_reader_close(&reader);
	add("a", 36, 37);
	open_reader();
	turn_until(&loop, count == 37);
	turn_for(&loop, 300);
	assert_int_equal(count, 37);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(atoi(seen[i].data), i + 1);
		assert_int_equal(seen[i].replayed, i < 35);
	}
}

static void test_again_after_a_lost_connection(void **state)
{
	(void)state;
	ack = false;
	open_reader();
	add("a", 1, 15);
	turn_until(&loop, count == 15);
	forget();
	ack = true;
	redis_server_kill(&server);
	redis_server_start(&server);
	turn_until(&loop, ups == 2);
	assert_int_equal(downs, 1);
	turn_until(&loop, count == 15);
	expect_numbers(1, 15, true);
	forget();
	add("a", 16, 20);
	turn_until(&loop, count == 5);
	expect_numbers(16, 20, false);
	assert_int_equal(pending("a"), 0);
}

static void test_nothing_more_before_next(void **state)
{
	(void)state;
	add("a", 1, 25);
	hold_batch = true;
	open_reader();
	turn_until(&loop, batches == 1);
	turn_for(&loop, 100);
	assert_int_equal(batches, 1);
	assert_int_equal(pending("a"), 0); /* nothing was fetched ahead */
	stream_reader_next(reader);
	turn_until(&loop, batches == 2);
	assert_int_equal(count, 20);
}

/* The connection goes while the user works on a batch: no replay before it is done. */
static void test_lost_while_the_user_works(void **state)
{
	(void)state;
	add("a", 1, 5);
	hold_batch = true;
	ack = false;
	open_reader();
	turn_until(&loop, batches == 1);
	redis_server_kill(&server);
	turn_until(&loop, downs == 1);
	redis_server_start(&server);
	turn_until(&loop, ups == 2);
	turn_for(&loop, 100);
	assert_int_equal(batches, 1);
	for (int i = 0; i < 3; i++)
		redis_server_do(&server, "XACK a group %s", seen[i].id);
	hold_batch = false;
	forget();
	stream_reader_next(reader);
	turn_until(&loop, count == 2);
	expect_numbers(4, 5, true);
}

static void test_next_while_down(void **state)
{
	(void)state;
	add("a", 1, 5);
	hold_batch = true;
	open_reader();
	turn_until(&loop, batches == 1);
	redis_server_kill(&server);
	turn_until(&loop, downs == 1);
	hold_batch = false;
	stream_reader_next(reader);
	redis_server_start(&server);
	add("a", 6, 7);
	turn_until(&loop, count == 7);
	expect_numbers(1, 7, false);
}

static size_t count_of(const char *stream, bool replayed)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += strcmp(seen[i].stream, stream) == 0 && seen[i].replayed == replayed;
	return found;
}

static void test_several_streams(void **state)
{
	(void)state;
	streams[1] = "b";
	ack = false;
	open_reader_and_wait();
	add("a", 1, 3);
	add("b", 1, 32);
	turn_until(&loop, count == 35);
	assert_int_equal(count_of("a", false), 3);
	assert_int_equal(count_of("b", false), 32);
	stream_reader_close(&reader);
	add("a", 4, 5);
	open_reader();
	turn_until(&loop, count == 37);
	turn_for(&loop, 300);
	assert_int_equal(count, 37);
	assert_int_equal(count_of("a", true), 3);
	assert_int_equal(count_of("b", true), 32);
	assert_int_equal(count_of("a", false), 2);
	for (size_t i = 0; i < 35; i++) /* pending ones of all streams first */
		assert_true(seen[i].replayed);
}

static void test_trimmed_while_pending(void **state)
{
	(void)state;
	add("a", 1, 30);
	ack = false;
	open_reader();
	turn_until(&loop, count == 30);
	stream_reader_close(&reader);
	redis_server_do(&server, "XTRIM a MAXLEN 5");
	ack = true;
	open_reader();
	turn_until(&loop, count == 5);
	expect_numbers(26, 30, true);
	turn_until(&loop, pending("a") == 0);
}

static void test_the_group_vanishes(void **state)
{
	(void)state;
	open_reader_and_wait();
	add("a", 1, 3);
	turn_until(&loop, count == 3);
	forget();
	redis_server_do(&server, "FLUSHALL");
	add("a", 4, 6);
	turn_until(&loop, count == 3);
	expect_numbers(4, 6, false);
	redis_server_do(&server, "XGROUP DESTROY a group");
	forget();
	turn_until(&loop, count == 3); /* the new group begins at the beginning */
	assert_int_equal(downs, 0);
}

static void test_a_key_of_another_kind(void **state)
{
	(void)state;
	redis_server_do(&server, "SET a text");
	open_reader();
	turn_for(&loop, 300);
	assert_int_equal(ups, 0);
	redis_server_do(&server, "DEL a");
	add("a", 1, 2);
	turn_until(&loop, count == 2);
}

static void test_close_in_a_batch(void **state)
{
	(void)state;
	add("a", 1, 5);
	close_in_batch = true;
	open_reader();
	turn_until(&loop, reader == NULL);
	assert_int_equal(batches, 1);
}

static void close_on_up(void *context)
{
	(void)context;
	stream_reader_close(&reader);
}

static void close_on_down(const char *reason, void *context)
{
	(void)reason;
	close_on_up(context);
}

static void test_close_in_hooks(void **state)
{
	(void)state;
	set.on_up = close_on_up;
	open_reader();
	turn_until(&loop, reader == NULL);
	set.on_up = on_up;
	set.on_down = close_on_down;
	open_reader_and_wait();
	redis_server_kill(&server);
	turn_until(&loop, reader == NULL);
}

/* A Redis that stops answering in the middle of a blocking read. */
static void test_a_frozen_server(void **state)
{
	(void)state;
	server.settings.command_timeout_ms = 200;
	open_reader_and_wait();
	turn_for(&loop, 1000); /* blocking reads that end in time are no fault */
	assert_int_equal(downs, 0);
	redis_server_freeze(&server);
	turn_until(&loop, downs == 1);
	redis_server_thaw(&server);
	add("a", 1, 2);
	turn_until(&loop, count == 2);
	expect_numbers(1, 2, false);
}

/* ---- without a group ---- */

static void test_from_a_cursor(void **state)
{
	static const char *const cursors[] = {"0-0"};

	(void)state;
	ack = false;
	set.group = NULL;
	set.cursors = cursors;
	add("a", 1, 25);
	open_reader();
	turn_until(&loop, count == 25);
	redis_server_kill(&server);
	turn_until(&loop, downs == 1);
	redis_server_start(&server);
	add("a", 26, 30);
	turn_until(&loop, count == 30);
	turn_for(&loop, 300);
	expect_numbers(1, 30, false);
}

static void test_only_new_ones(void **state)
{
	static const char *const cursors[] = {"$", "$"};

	(void)state;
	ack = false;
	set.group = NULL;
	set.cursors = cursors;
	streams[1] = "b"; /* is not there yet */
	add("a", 1, 5);
	open_reader_and_wait();
	hold_batch = true;
	add("a", 6, 7);
	turn_until(&loop, batches == 1);
	add("b", 1, 2); /* between two reads */
	redis_server_kill(&server);
	turn_until(&loop, downs == 1);
	redis_server_start(&server);
	hold_batch = false;
	stream_reader_next(reader);
	turn_until(&loop, count == 4);
	assert_int_equal(count_of("a", false), 2);
	assert_int_equal(count_of("b", false), 2);
	assert_int_equal(atoi(seen[0].data), 6);
}

/* ---- peers that are no Redis ---- */

static void test_strange_answers(void **state)
{
	static const char *const answers[] = {
		"*1\r\n:1\r\n",
		"*1\r\n*2\r\n$1\r\nz\r\n*0\r\n",
		"*1\r\n*2\r\n$1\r\na\r\n:5\r\n",
		"*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n:1\r\n*0\r\n",
		"*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*1\r\n$1\r\ne\r\n",
		"*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n1-1\r\n:1\r\n",
		":5\r\n",
		"-ERR what\r\n",
	};
	static const char *const cursors[] = {"0-0"};
	struct fake_peer peer;

	(void)state;
	fake_peer_open(&peer, &loop);
	set.redis = &peer.settings;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		peer.second = answers[i];
		set.group = i % 2 == 0 ? NULL : "group";
		set.cursors = cursors;
		open_reader();
		turn_until(&loop, downs == 1 || peer.accepted >= 2);
		stream_reader_close(&reader);
		peer.accepted = 0;
	}
	assert_int_equal(count, 0);
	fake_peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_from_the_beginning_then_new, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_pending_comes_again_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_again_after_a_lost_connection, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_more_before_next, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost_while_the_user_works, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_next_while_down, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_several_streams, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_trimmed_while_pending, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_group_vanishes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_key_of_another_kind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_in_a_batch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_in_hooks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_frozen_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_from_a_cursor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_only_new_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_strange_answers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
