/* Entries on their way into a real Redis that dies, freezes, fills up, or is written to by others:
   each arrives once. */
#include "writer_fixture.h"

#include <string.h>

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
	assert_int_equal(seen.rewinds, 0);
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
	expect_stored_somehow(0, 17999);
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
	expect_stored_somehow(0, 1499);
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
	assert_int_equal(seen.rewinds, 1);
}

/* As after a fail-over to a replica that lagged: the last entries that Redis had taken are gone,
   while others were under way. */
static void test_redis_lost_the_last(void **state)
{
	(void)state;
	server.arguments = "--appendonly no";
	redis_server_start(&server);
	open_writer();
	add(100);
	turn_until(&loop, is_drained());
	redis_server_do(&server, "SAVE");
	turn_for(&loop, 5);
	add(100);
	turn_until(&loop, is_drained());
	redis_server_freeze(&server);
	add(100);
	uv_run(&loop, UV_RUN_NOWAIT);
	redis_server_kill(&server);
	turn_until(&loop, seen.downs == 1);
	redis_server_start(&server);
	turn_until(&loop, is_drained());
	assert_int_equal(seen.rewinds, 1);
	assert_true(seen.from_ms < seen.to_ms);
	assert_int_equal(redis_server_number(&server, "XLEN " STREAM), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_others_write_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_killed_under_full_flow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_frozen_under_full_flow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_out_of_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_now_and_then, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_and_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_key_of_another_kind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_redis_lost_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_redis_lost_the_last, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
