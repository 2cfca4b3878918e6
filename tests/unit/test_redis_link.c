/* A link to a real Redis: commands, passwords, roles, and servers that go away. */
#include "mem.h"
#include "redis_fixture.h"
#include "redis_link.h"

#include <stdlib.h>
#include <string.h>

static uv_loop_t loop;
static struct redis_server server;
static struct redis_link *redis;

static struct seen {
	int ups, downs;
	int replies, lost, errors;
	long long last; /* integer */
	char reason[256];
	bool down_before_lost; /* on_down came before a callback */
} seen;

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
	assert_false(redis != NULL && redis_link_is_up(redis));
}

static void on_reply(const redisReply *reply, void *context)
{
	(void)context;
	if (reply == NULL) {
		seen.lost++;
		seen.down_before_lost |= seen.downs > 0;
	} else if (reply->type == REDIS_REPLY_ERROR) {
		seen.errors++;
	} else {
		seen.replies++;
		seen.last = reply->integer;
	}
}

static void open_link(struct redis_settings *settings)
{
	const struct redis_link_hooks hooks = {on_up, on_down, NULL};

	seen = (struct seen){0};
	redis = redis_link_open(&loop, settings, "test", &hooks);
}

static void open_link_and_wait(struct redis_settings *settings)
{
	open_link(settings);
	turn_until(&loop, seen.ups == 1);
}

static int set_up(void **state)
{
	(void)state;
	uv_loop_init(&loop);
	redis_server_prepare(&server, "--appendonly no");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	redis_link_close(&redis);
	finish_loop(&loop);
	redis_server_remove(&server);
	return 0;
}

static void test_every_form_of_command(void **state)
{
	const char *argv[] = {"SET", "key", "a\0b"};
	const size_t lens[] = {3, 3, 3};
	static const char raw[] = "*2\r\n$6\r\nSTRLEN\r\n$3\r\nkey\r\n";

	(void)state;
	redis_server_start(&server);
	open_link_and_wait(&server.settings);
	assert_int_equal(redis_link_argv(redis, on_reply, NULL, 3, argv, lens), 0);
	assert_int_equal(redis_link_command(redis, NULL, NULL, "APPEND key %b", "\r\n", (size_t)2),
			 0);
	assert_int_equal(redis_link_raw(redis, on_reply, NULL, raw, sizeof(raw) - 1), 0);
	assert_int_equal(redis_link_pending(redis), 3);
	turn_until(&loop, seen.replies == 2);
	assert_int_equal(seen.last, 5);
	assert_int_equal(redis_link_pending(redis), 0);
}

static void test_says_who_it_is_and_where(void **state)
{
	redisReply *list;

	(void)state;
	redis_server_start(&server);
	server.settings.db = 7;
	open_link_and_wait(&server.settings);
	list = redis_server_ask(&server, "CLIENT LIST");
	assert_non_null(strstr(list->str, "name=mayday:test_redis_link:test "));
	assert_non_null(strstr(list->str, " db=7 "));
	freeReplyObject(list);
}

static void test_comes_up_when_the_server_does(void **state)
{
	(void)state;
	open_link(&server.settings);
	turn_for(&loop, 300);
	assert_int_equal(seen.ups, 0);
	assert_int_equal(redis_link_command(redis, on_reply, NULL, "PING"), -1);
	redis_server_start(&server);
	turn_until(&loop, seen.ups == 1);
	assert_int_equal(seen.downs, 0);
	assert_int_equal(seen.lost, 0);
}

static void test_a_killed_server_loses_what_was_asked(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_link_and_wait(&server.settings);
	redis_server_freeze(&server);
	for (int i = 0; i < 100; i++)
		assert_int_equal(redis_link_command(redis, on_reply, NULL, "INCR n"), 0);
	redis_server_kill(&server);
	turn_until(&loop, seen.downs == 1);
	assert_int_equal(seen.lost, 100);
	assert_false(seen.down_before_lost);
	assert_int_equal(redis_link_command(redis, on_reply, NULL, "PING"), -1);
	redis_server_start(&server);
	turn_until(&loop, seen.ups == 2);
	assert_int_equal(redis_link_command(redis, on_reply, NULL, "PING"), 0);
	turn_until(&loop, seen.replies == 1);
	assert_int_equal(seen.downs, 1);
}

static void test_a_frozen_server_times_out(void **state)
{
	int64_t asked_ms;

	(void)state;
	redis_server_start(&server);
	server.settings.command_timeout_ms = 300;
	open_link_and_wait(&server.settings);
	redis_server_freeze(&server);
	asked_ms = now_ms();
	assert_int_equal(redis_link_command(redis, on_reply, NULL, "PING"), 0);
	turn_until(&loop, seen.lost == 1);
	assert_true(now_ms() - asked_ms >= 300);
	assert_int_equal(seen.downs, 1);
	assert_string_equal(seen.reason, "no reply in time");
	redis_server_thaw(&server);
	turn_until(&loop, seen.ups == 2);
}

static void test_a_blocking_command_gets_its_time(void **state)
{
	(void)state;
	redis_server_start(&server);
	server.settings.command_timeout_ms = 100;
	open_link_and_wait(&server.settings);
	redis_link_set_timeout(redis, 2000);
	assert_int_equal(redis_link_command(redis, on_reply, NULL, "BLPOP nothing 0.5"), 0);
	turn_until(&loop, seen.replies + seen.lost > 0);
	assert_int_equal(seen.replies, 1);
}

/* The loop was held up for longer than the time-out, but the reply is there. */
static void test_a_held_up_loop_is_no_timeout(void **state)
{
	(void)state;
	redis_server_start(&server);
	server.settings.command_timeout_ms = 100;
	open_link_and_wait(&server.settings);
	redis_server_freeze(&server);
	assert_int_equal(redis_link_command(redis, on_reply, NULL, "PING"), 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	redis_server_thaw(&server);
	uv_sleep(400);
	turn_until(&loop, seen.replies + seen.lost == 1);
	assert_int_equal(seen.lost, 0);
}

static void test_password(void **state)
{
	static char password[] = "pass word\r\n%s";

	(void)state;
	redis_server_start(&server);
	redis_server_do(&server, "CONFIG SET requirepass %s", password);
	server.settings.password = password;
	open_link_and_wait(&server.settings);
}

static void test_user_and_password(void **state)
{
	static char name[] = "ann", password[] = "secret";

	(void)state;
	redis_server_start(&server);
	redis_server_do(&server, "ACL SETUSER ann on >secret ~* +@all -role -client");
	server.settings.username = name;
	server.settings.password = password;
	open_link_and_wait(&server.settings);
	server.settings.username = server.settings.password = server.settings.sentinels;
}

static int count(const char *text, const char *word)
{
	int times = 0;

	for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
		times++;
	return times;
}

static void test_a_wrong_password_is_said_once_and_never_shown(void **state)
{
	static char wrong[] = "Wrong-Secret", right[] = "Right-Secret";
	char *log;

	(void)state;
	redis_server_start(&server);
	redis_server_do(&server, "CONFIG SET requirepass %s", right);
	server.settings.password = wrong;
	hide_log();
	open_link(&server.settings);
	turn_for(&loop, 700);
	server.settings.password = right;
	turn_until(&loop, seen.ups == 1);
	log = show_log();
	assert_int_equal(count(log, "login refused: WRONGPASS"), 1);
	assert_int_equal(count(log, "Secret"), 0);
	free(log);
}

static void test_a_missing_password_is_said(void **state)
{
	static char right[] = "Right-Secret";
	char *nothing = server.settings.password;
	char *log;

	(void)state;
	redis_server_start(&server);
	redis_server_do(&server, "CONFIG SET requirepass %s", right);
	hide_log();
	open_link(&server.settings);
	turn_for(&loop, 300);
	log = show_log();
	assert_int_equal(count(log, "not usable: NOAUTH"), 1);
	free(log);
	assert_int_equal(seen.ups, 0);
	server.settings.password = right;
	redis_server_do(&server, "CONFIG SET requirepass %s", nothing);
	server.settings.password = nothing;
}

static void test_a_replica_is_not_used(void **state)
{
	struct redis_server master;

	(void)state;
	redis_server_prepare(&master, "--appendonly no");
	redis_server_start(&master);
	redis_server_start(&server);
	redis_server_do(&server, "REPLICAOF %s %d", master.host, master.port);
	open_link(&server.settings);
	turn_for(&loop, 300);
	assert_int_equal(seen.ups, 0);
	redis_server_do(&server, "REPLICAOF NO ONE");
	turn_until(&loop, seen.ups == 1);
	redis_server_do(&server, "REPLICAOF %s %d", master.host, master.port);
	assert_int_equal(redis_link_command(redis, on_reply, NULL, "SET a b"), 0);
	turn_until(&loop, seen.downs == 1);
	assert_int_equal(seen.errors + seen.lost, 1);
	redis_server_remove(&master);
}

#define MANY 50000

static int next_in_order;

static void on_numbered(const redisReply *reply, void *context)
{
	assert_non_null(reply);
	assert_ptr_equal(context, (void *)(uintptr_t)next_in_order);
	assert_int_equal(reply->integer, ++next_in_order);
}

static void test_many_at_once_stay_in_order(void **state)
{
	(void)state;
	redis_server_start(&server);
	server.settings.command_timeout_ms = PATIENCE_MS;
	open_link_and_wait(&server.settings);
	next_in_order = 0;
	for (uintptr_t i = 0; i < MANY; i++)
		assert_int_equal(redis_link_command(redis, on_numbered, (void *)i, "INCR n"), 0);
	turn_until(&loop, next_in_order == MANY);
}

static void close_at_once(const redisReply *reply, void *context)
{
	(void)reply;
	on_reply(reply, context);
	redis_link_close(&redis);
}

static void test_close_in_a_reply(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_link_and_wait(&server.settings);
	redis_link_command(redis, close_at_once, NULL, "PING");
	redis_link_command(redis, on_reply, NULL, "PING");
	redis_link_command(redis, on_reply, NULL, "PING");
	turn_until(&loop, redis == NULL);
	assert_int_equal(seen.replies, 1);
	assert_int_equal(seen.lost, 2);
	assert_int_equal(seen.downs, 0);
}

static void test_close_in_a_lost_reply(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_link_and_wait(&server.settings);
	redis_server_freeze(&server);
	redis_link_command(redis, on_reply, NULL, "PING");
	redis_link_command(redis, close_at_once, NULL, "PING");
	redis_link_command(redis, on_reply, NULL, "PING");
	redis_server_kill(&server);
	turn_until(&loop, redis == NULL);
	assert_int_equal(seen.lost, 3);
	assert_int_equal(seen.downs, 0);
}

static void close_on_down(const char *reason, void *context)
{
	on_down(reason, context);
	redis_link_close(&redis);
}

static void test_close_when_down(void **state)
{
	const struct redis_link_hooks hooks = {on_up, close_on_down, NULL};

	(void)state;
	redis_server_start(&server);
	seen = (struct seen){0};
	redis = redis_link_open(&loop, &server.settings, "test", &hooks);
	turn_until(&loop, seen.ups == 1);
	redis_server_kill(&server);
	turn_until(&loop, redis == NULL);
	assert_int_equal(seen.downs, 1);
}

static void close_on_up(void *context)
{
	on_up(context);
	redis_link_close(&redis);
}

static void test_close_when_up(void **state)
{
	const struct redis_link_hooks hooks = {close_on_up, on_down, NULL};

	(void)state;
	redis_server_start(&server);
	seen = (struct seen){0};
	redis = redis_link_open(&loop, &server.settings, "test", &hooks);
	turn_until(&loop, redis == NULL);
	assert_int_equal(seen.downs, 0);
}

static void reset_in_reply(const redisReply *reply, void *context)
{
	on_reply(reply, context);
	redis_link_reset(redis, "impossible");
}

static void test_reset_in_a_reply(void **state)
{
	(void)state;
	redis_server_start(&server);
	open_link_and_wait(&server.settings);
	redis_link_command(redis, reset_in_reply, NULL, "PING");
	redis_link_command(redis, reset_in_reply, NULL, "PING");
	turn_until(&loop, seen.ups == 2);
	assert_int_equal(seen.replies, 1);
	assert_int_equal(seen.lost, 1);
	assert_int_equal(seen.downs, 1);
	assert_string_equal(seen.reason, "impossible");
}

static void test_close_at_every_stage(void **state)
{
	(void)state;
	redis_server_start(&server);
	for (int turns = 0; turns < 12; turns++) {
		open_link(&server.settings);
		for (int i = 0; i < turns; i++)
			uv_run(&loop, UV_RUN_NOWAIT);
		redis_link_close(&redis);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_form_of_command, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_says_who_it_is_and_where, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_comes_up_when_the_server_does, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_killed_server_loses_what_was_asked, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_frozen_server_times_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_blocking_command_gets_its_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_held_up_loop_is_no_timeout, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_user_and_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_wrong_password_is_said_once_and_never_shown,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_missing_password_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_replica_is_not_used, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_at_once_stay_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_in_a_reply, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_in_a_lost_reply, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_when_down, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_when_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reset_in_a_reply, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_at_every_stage, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
