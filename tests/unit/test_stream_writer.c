/* Entries on their way into a real Redis that dies, freezes, fills up, or is written to by others:
   each arrives once, in order. */
#include "clock.h"
#include "mem.h"
#include "redis_fixture.h"
#include "stream_id.h"
#include "stream_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM "events"

static uv_loop_t loop;
static struct redis_server server;
static struct stream_writer *writer;
static struct stream_writer_settings set;

static struct seen {
	int ups, downs, drained;
	uint64_t overflow;
	int overflows;
	int64_t from_ms, to_ms;
	char reason[256];
} seen;

static int added; /* entries are numbered from 0 */

static void on_up(void *context)
{
	(void)context;
	seen.ups++;
}

static void on_down(const char *reason, void *context)
{
	(void)context;
	seen.downs++;
	snprintf(seen.reason, sizeof(seen.reason), "%s", reason);
}

static void on_overflow(uint64_t dropped, int64_t from_ms, int64_t to_ms, void *context)
{
	(void)context;
	seen.overflow += dropped;
	seen.overflows++;
	seen.from_ms = from_ms;
	seen.to_ms = to_ms;
}

static void on_drained(void *context)
{
	(void)context;
	seen.drained++;
}

static void open_writer(void)
{
	seen = (struct seen){0};
	writer = stream_writer_open(&loop, &set);
}

static void add(int count)
{
	char text[64];

	for (int i = 0; i < count; i++) {
		int len = snprintf(text, sizeof(text), "entry number %d", added++);

		stream_writer_add(writer, text, (size_t)len);
	}
}

static bool is_drained(void)
{
	return stream_writer_backlog(writer) == 0;
}

/* Prepares a server that is not started yet. What the server said it has written survives a kill of
   the process: the kernel has it, whenever it reaches the disk. */
static int set_up(void **state)
{
	(void)state;
	uv_loop_init(&loop);
	redis_server_prepare(&server, "--appendonly yes --appendfsync no");
	set = (struct stream_writer_settings){
		.redis = &server.settings,
		.stream = STREAM,
		.field = "e",
		.keep_ms = 3600000,
		.keep_max = 1000000,
		.buffer_max = 8 << 20,
		.on_up = on_up,
		.on_down = on_down,
		.on_overflow = on_overflow,
		.on_drained = on_drained,
	};
	added = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stream_writer_close(&writer);
	finish_loop(&loop);
	redis_server_remove(&server);
	return 0;
}

/* ---- what is in Redis ---- */

static int number_of(const redisReply *entry)
{
	const redisReply *fields = entry->element[1];
	int number = -1;

	assert_int_equal(fields->elements, 2);
	assert_string_equal(fields->element[0]->str, "e");
	if (sscanf(fields->element[1]->str, "entry number %d", &number) != 1)
		return -1; /* somebody else's */
	return number;
}

/* Every number from first to last once; others' entries are skipped. */
static void expect_all(int first, int last, bool in_order)
{
	redisReply *reply = redis_server_ask(&server, "XRANGE " STREAM " - +");
	bool *is_stored = mem_array(bool, (size_t)(last - first + 1));
	int stored = 0;

	assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
	for (size_t i = 0; i < reply->elements; i++) {
		int number = number_of(reply->element[i]);

		if (number < 0)
			continue;
		assert_in_range(number, first, last);
		assert_false(is_stored[number - first]);
		assert_true(!in_order || number == first + stored);
		is_stored[number - first] = true;
		stored++;
	}
	assert_int_equal(stored, last - first + 1);
	free(is_stored);
	freeReplyObject(reply);
}

static void expect_stored(int first, int last)
{
	expect_all(first, last, true);
}

/* ---- tests ---- */

static void test_in_order(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_writer();
	add(10); /* before it is up */
	assert_false(stream_writer_is_up(writer));
	turn_until(&loop, seen.ups == 1 && is_drained());
	assert_true(stream_writer_is_up(writer));
	add(5000);
	assert_true(stream_writer_backlog(writer) > 0);
	turn_until(&loop, is_drained());
	assert_true(seen.drained > 0);
	assert_int_equal(stream_writer_dropped(writer), 0);
	expect_stored(0, 5009);
}

static void test_any_bytes(void **state)
{
	redisReply *reply;

	(void)state;
	redis_server_start(&server);
	open_writer();
	stream_writer_add(writer, "\r\n\0$", 4);
	stream_writer_add(writer, NULL, 0);
	turn_until(&loop, is_drained());
	reply = redis_server_ask(&server, "XRANGE " STREAM " - +");
	assert_int_equal(reply->elements, 2);
	assert_int_equal(reply->element[0]->element[1]->element[1]->len, 4);
	assert_memory_equal(reply->element[0]->element[1]->element[1]->str, "\r\n\0$", 4);
	assert_int_equal(reply->element[1]->element[1]->element[1]->len, 0);
	freeReplyObject(reply);
}

static void test_above_what_is_there(void **state)
{
	redisReply *reply;

	(void)state;
	redis_server_start(&server);
	redis_server_do(&server, "XADD " STREAM " 9999999999999-5 e other");
	open_writer();
	add(3);
	turn_until(&loop, is_drained());
	expect_stored(0, 2);
	reply = redis_server_ask(&server, "XREVRANGE " STREAM " + - COUNT 1");
	assert_string_equal(reply->element[0]->element[0]->str, "9999999999999-8");
	freeReplyObject(reply);
}

static void test_others_write_too(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_writer();
	add(100);
	turn_until(&loop, is_drained());
	redis_server_do(&server, "XADD " STREAM " 9999999999999-0 e other");
	add(500);
	turn_until(&loop, is_drained());
	add(500);
	turn_until(&loop, is_drained());
	expect_stored(0, 1099);
	assert_int_equal(seen.downs, 0);
}

static void test_a_clock_that_goes_back(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_writer();
	turn_until(&loop, seen.ups == 1);
	clock_set(1700000000000);
	add(10);
	clock_set(1600000000000);
	add(10);
	clock_set(-1);
	turn_until(&loop, is_drained());
	expect_stored(0, 19);
}

#define FLOW  200000
#define KILLS 4

static void flow_until(int count)
{
	while (added < count) {
		if (stream_writer_backlog(writer) < (4 << 20))
			add(500);
		turn(&loop);
	}
}

/* Redis dies in the middle of the flow, several times, and comes back from its append-only file. */
static void test_killed_under_full_flow(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_writer();
	for (int kills = 0; kills < KILLS; kills++) {
		turn_until(&loop, seen.ups == kills + 1);
		flow_until(FLOW / (KILLS + 1) * (kills + 1));
		add(500);
		uv_run(&loop, UV_RUN_NOWAIT); /* sent, and hardly answered */
		redis_server_kill(&server);
		add(1000);
		turn_until(&loop, seen.downs == kills + 1);
		redis_server_start(&server);
	}
	flow_until(FLOW);
	turn_until(&loop, is_drained());
	assert_int_equal(stream_writer_dropped(writer), 0);
	expect_stored(0, added - 1);
}

/* Redis reads what was sent before it froze only after the writer has sent it again. */
static void test_frozen_under_full_flow(void **state)
{
	(void)state;
	redis_server_start(&server);
	server.settings.command_timeout_ms = 300;
	open_writer();
	turn_until(&loop, seen.ups == 1);
	for (int i = 0; i < 3; i++) {
		int downs = seen.downs;

		add(2000);
		uv_run(&loop, UV_RUN_NOWAIT);
		redis_server_freeze(&server);
		add(2000);
		turn_until(&loop, seen.downs > downs);
		turn_for(&loop, 200);
		redis_server_thaw(&server);
		add(2000);
		turn_until(&loop, is_drained());
	}
	expect_stored(0, 17999);
}

static void test_the_buffer_is_bounded(void **state)
{
	int64_t begin_ms = clock_wall_ms();
	size_t max = 100000;
	int stored;

	(void)state;
	set.buffer_max = max;
	open_writer();
	for (int i = 0; i < 100; i++) {
		add(100);
		assert_true(stream_writer_backlog(writer) <= max);
	}
	assert_true(stream_writer_dropped(writer) > 5000);
	redis_server_start(&server);
	turn_until(&loop, seen.overflows > 0 && is_drained());
	assert_int_equal(seen.overflows, 1);
	assert_int_equal(seen.overflow, stream_writer_dropped(writer));
	assert_in_range(seen.from_ms, begin_ms, seen.to_ms);
	assert_true(seen.to_ms <= clock_wall_ms());
	stored = added - (int)stream_writer_dropped(writer);
	expect_stored(added - stored, added - 1);
}

static void test_a_giant_is_dropped(void **state)
{
	char *giant = mem_alloc(200000);

	(void)state;
	set.buffer_max = 100000;
	redis_server_start(&server);
	open_writer();
	add(1);
	stream_writer_add(writer, giant, 200000);
	add(1);
	turn_until(&loop, is_drained());
	assert_int_equal(stream_writer_dropped(writer), 1);
	expect_stored(0, 1);
	set.buffer_max = 8 << 20;
	free(giant);
}

static void test_out_of_memory(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_writer();
	add(1000);
	turn_until(&loop, is_drained());
	redis_server_do(&server, "CONFIG SET maxmemory 1");
	add(1000);
	turn_until(&loop, seen.downs == 1);
	assert_non_null(strstr(seen.reason, "OOM"));
	assert_false(stream_writer_is_up(writer));
	add(1000);
	turn_for(&loop, 200);
	redis_server_do(&server, "CONFIG SET maxmemory 0");
	turn_until(&loop, is_drained());
	assert_int_equal(seen.ups, 2);
	expect_stored(0, 2999);
}

/* Memory comes and goes while entries are on their way. */
static void test_refused_now_and_then(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_writer();
	turn_until(&loop, seen.ups == 1);
	for (int i = 0; i < 3; i++) {
		add(3000);
		uv_run(&loop, UV_RUN_NOWAIT);
		redis_server_do(&server, "CONFIG SET maxmemory 1");
		add(3000);
		uv_run(&loop, UV_RUN_NOWAIT);
		redis_server_do(&server, "CONFIG SET maxmemory 0");
		turn(&loop);
	}
	turn_until(&loop, is_drained());
	expect_all(0, 17999, false);
}

/* The connection goes while refused entries wait, and Redis refuses the repetition, too. */
static void test_refused_and_lost(void **state)
{
	(void)state;
	redis_server_start(&server);
	server.settings.command_timeout_ms = 300;
	open_writer();
	turn_until(&loop, seen.ups == 1);
	add(500);
	uv_run(&loop, UV_RUN_NOWAIT);
	redis_server_do(&server, "CONFIG SET maxmemory 1");
	add(500);
	uv_run(&loop, UV_RUN_NOWAIT);
	redis_server_freeze(&server);
	add(500);
	turn_until(&loop, seen.downs == 1);
	redis_server_thaw(&server);
	turn_for(&loop, 1500);
	assert_false(is_drained());
	redis_server_do(&server, "CONFIG SET maxmemory 0");
	turn_until(&loop, is_drained());
	expect_all(0, 1499, false);
}

static void test_a_key_of_another_kind(void **state)
{
	(void)state;
	redis_server_start(&server);
	redis_server_do(&server, "SET " STREAM " text");
	open_writer();
	add(10);
	turn_for(&loop, 500);
	assert_int_equal(seen.ups, 0);
	redis_server_do(&server, "DEL " STREAM);
	turn_until(&loop, is_drained());
	expect_stored(0, 9);
}

static void test_the_stream_is_bounded(void **state)
{
	(void)state;
	set.keep_max = 1000;
	redis_server_start(&server);
	open_writer();
	add(20000);
	turn_until(&loop, is_drained());
	assert_in_range(redis_server_number(&server, "XLEN " STREAM), 1000, 1200);
}

static void test_old_entries_are_trimmed(void **state)
{
	(void)state;
	set.keep_ms = 1000;
	set.keep_max = 0;
	redis_server_start(&server);
	open_writer();
	add(20000);
	turn_until(&loop, is_drained());
	assert_int_equal(redis_server_number(&server, "XLEN " STREAM), 20000);
	turn_until(&loop, redis_server_number(&server, "XLEN " STREAM) < 200);
}

static void test_redis_lost_everything(void **state)
{
	(void)state;
	server.arguments = "--appendonly no";
	redis_server_start(&server);
	open_writer();
	add(100);
	turn_until(&loop, is_drained());
	redis_server_kill(&server);
	add(100);
	redis_server_start(&server);
	turn_until(&loop, is_drained());
	expect_stored(100, 199);
}

static void close_when_drained(void *context)
{
	(void)context;
	stream_writer_close(&writer);
}

static void close_when_down(const char *reason, void *context)
{
	on_down(reason, context);
	stream_writer_close(&writer);
}

static void test_close_in_hooks(void **state)
{
	(void)state;
	redis_server_start(&server);
	set.on_up = close_when_drained;
	open_writer();
	add(10);
	turn_until(&loop, writer == NULL);
	set.on_up = on_up;
	set.on_drained = close_when_drained;
	open_writer();
	add(10);
	turn_until(&loop, writer == NULL);
	set.on_drained = on_drained;
	set.on_down = close_when_down;
	open_writer();
	turn_until(&loop, seen.ups == 1);
	redis_server_freeze(&server);
	add(10);
	redis_server_kill(&server);
	turn_until(&loop, writer == NULL);
	assert_int_equal(seen.downs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_above_what_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_others_write_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_clock_that_goes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_killed_under_full_flow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_frozen_under_full_flow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_buffer_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_giant_is_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_out_of_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_now_and_then, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_and_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_key_of_another_kind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_stream_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_old_entries_are_trimmed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_redis_lost_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_in_hooks, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
