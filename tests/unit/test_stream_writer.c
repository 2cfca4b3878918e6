/* Entries on their way into a real Redis: order, ids, bounds. */
#include "clock.h"
#include "mem.h"
#include "writer_fixture.h"

#include <stdlib.h>

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

static void test_held_back(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_writer();
	add(2000);
	uv_run(&loop, UV_RUN_NOWAIT);
	stream_writer_hold(writer, true);
	add(1000);
	turn_for(&loop, 500); /* the link is up again */
	assert_int_equal(seen.ups, seen.downs);
	assert_true(stream_writer_backlog(writer) > 0);
	stream_writer_hold(writer, true);
	stream_writer_hold(writer, false);
	add(1000);
	turn_until(&loop, is_drained());
	expect_stored(0, 3999);
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
		cmocka_unit_test_setup_teardown(test_a_clock_that_goes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_held_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_buffer_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_giant_is_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_stream_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_old_entries_are_trimmed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_in_hooks, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
