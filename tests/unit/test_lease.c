/* Contenders for one lease on a real Redis: never two holders, and no way for a late one to write.
 */
#include "lease.h"
#include "mem.h"
#include "redis_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TTL_MS 600

static uv_loop_t loop;
static struct redis_server server;

struct contender {
	struct redis_link *redis;
	struct lease *lease;
	int acquired, lost;
	int64_t token;
	char reason[128];
	bool close_when_acquired, close_when_lost;
};

static struct contender one, two;

static void on_acquired(int64_t token, void *context)
{
	struct contender *contender = context;

	assert_true(lease_is_held(contender->lease));
	assert_int_equal(lease_token(contender->lease), token);
	contender->acquired++;
	contender->token = token;
	if (contender->close_when_acquired)
		lease_close(&contender->lease);
}

static void on_lost(const char *reason, void *context)
{
	struct contender *contender = context;

	assert_false(lease_is_held(contender->lease));
	contender->lost++;
	snprintf(contender->reason, sizeof(contender->reason), "%s", reason);
	if (contender->close_when_lost)
		lease_close(&contender->lease);
}

static void enter(struct contender *contender, const char *owner)
{
	const struct lease_hooks hooks = {on_acquired, on_lost, contender};

	*contender = (struct contender){0};
	contender->redis = redis_link_open(&loop, &server.settings, owner, NULL);
	contender->lease = lease_open(&loop, contender->redis, "prize", owner, TTL_MS, &hooks);
}

static void leave(struct contender *contender)
{
	lease_close(&contender->lease);
	redis_link_close(&contender->redis);
}

static int set_up(void **state)
{
	(void)state;
	uv_loop_init(&loop);
	redis_server_prepare(&server, "--appendonly yes --appendfsync no");
	redis_server_start(&server);
	server.settings.command_timeout_ms = 300;
	enter(&one, "one");
	turn_until(&loop, one.acquired == 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	leave(&one);
	if (two.redis != NULL)
		leave(&two);
	two = (struct contender){0};
	finish_loop(&loop);
	redis_server_remove(&server);
	return 0;
}

static void test_one_holder_and_it_stays(void **state)
{
	int64_t end_ms = now_ms() + 4 * TTL_MS;
	redisReply *reply;

	(void)state;
	enter(&two, "two");
	while (now_ms() < end_ms) {
		turn(&loop);
		assert_true(lease_is_held(one.lease));
		assert_false(lease_is_held(two.lease));
	}
	assert_int_equal(one.token, 1);
	assert_true(lease_since_ms(one.lease) > 0);
	assert_int_equal(lease_token(two.lease), 0);
	assert_int_equal(lease_since_ms(two.lease), 0);
	reply = redis_server_ask(&server, "GET lease:prize");
	assert_string_equal(reply->str, "one");
	freeReplyObject(reply);
}

static void test_given_back_at_once(void **state)
{
	int64_t begin_ms;

	(void)state;
	enter(&two, "two");
	turn_for(&loop, 300);
	begin_ms = now_ms();
	lease_close(&one.lease);
	turn_until(&loop, two.acquired == 1);
	assert_true(now_ms() - begin_ms < TTL_MS); /* it did not wait for the expiry */
	assert_int_equal(two.token, 2);
	assert_int_equal(one.lost, 0);
}

static void test_a_frozen_redis(void **state)
{
	int64_t begin_ms = now_ms();

	(void)state;
	redis_server_freeze(&server);
	turn_until(&loop, one.lost == 1);
	assert_true(now_ms() - begin_ms < 3 * TTL_MS);
	assert_string_equal(one.reason, "not renewed in time");
	redis_server_thaw(&server);
	turn_until(&loop, one.acquired == 2);
	assert_true(one.token >= 2); /* always a new token */
}

static void test_a_restarted_redis(void **state)
{
	(void)state;
	redis_server_kill(&server);
	redis_server_start(&server);
	turn_until(&loop, redis_link_is_up(one.redis));
	turn_until(&loop, one.lost == 0 || one.acquired == 2);
	turn_until(&loop, lease_is_held(one.lease));
	enter(&two, "two");
	turn_for(&loop, TTL_MS);
	assert_int_equal(two.acquired, 0);
	assert_true(lease_is_held(one.lease));
}

static void test_taken_away(void **state)
{
	(void)state;
	redis_server_do(&server, "SET lease:prize thief PX 1000");
	turn_until(&loop, one.lost == 1);
	assert_string_equal(one.reason, "it expired or somebody else took it");
	turn_until(&loop, one.acquired == 2); /* when the thief's time is over */
	assert_int_equal(one.token, 2);
}

/* An acquisition that was thought lost is carried out late: the token in hand is worth nothing. */
static void test_an_old_token_is_noticed(void **state)
{
	(void)state;
	redis_server_do(&server, "INCR fence:prize");
	turn_until(&loop, one.lost == 1);
	turn_until(&loop, one.acquired == 2);
	assert_int_equal(one.token, 3);
}

static void test_redis_lost_everything(void **state)
{
	(void)state;
	enter(&two, "two");
	redis_server_do(&server, "FLUSHALL");
	turn_until(&loop, one.lost == 1);
	turn_until(&loop, one.acquired + two.acquired == 2);
	assert_false(lease_is_held(one.lease) && lease_is_held(two.lease));
}

/* ---- fencing ---- */

static bool is_watched, is_confirmed, is_done, was_stored;

static void on_fence(const redisReply *reply, void *context)
{
	(void)context;
	assert_non_null(reply);
	is_confirmed = lease_confirms(one.lease, reply);
	is_watched = true;
}

static void on_exec(const redisReply *reply, void *context)
{
	(void)context;
	assert_non_null(reply);
	was_stored = reply->type == REDIS_REPLY_ARRAY;
	is_done = true;
}

static void watch(void)
{
	is_watched = is_done = false;
	assert_int_equal(lease_watch(one.lease, one.redis, on_fence, NULL), 0);
	turn_until(&loop, is_watched);
}

static void commit(void)
{
	redis_link_command(one.redis, NULL, NULL, "MULTI");
	redis_link_command(one.redis, NULL, NULL, "SET key one");
	redis_link_command(one.redis, on_exec, NULL, "EXEC");
	turn_until(&loop, is_done);
}

static void test_a_stale_holder_cannot_commit(void **state)
{
	(void)state;
	watch();
	assert_true(is_confirmed);
	commit();
	assert_true(was_stored);
	watch();
	redis_server_do(&server, "DEL lease:prize"); /* as if it had expired */
	enter(&two, "two");
	turn_until(&loop, two.acquired + one.acquired == 2);
	commit();
	assert_false(was_stored);
	watch();
	if (two.acquired == 1)
		assert_false(is_confirmed);
}

/* As after a fail-over to a replica that had not heard of the acquisition. */
static void test_a_token_that_another_has_too(void **state)
{
	(void)state;
	redis_server_do(&server, "SET lease:prize other");
	watch();
	assert_false(is_confirmed);
}

/* ---- a holder that is stopped ---- */

/* Runs in a process of its own. Says 'h' when it holds the lease; told to go on after it was
   stopped, it says what it believes then, before its loop has turned. */
static void hold_in_child(int in, int out)
{
	char byte;

	uv_loop_init(&loop);
	enter(&one, "child");
	while (one.acquired == 0)
		turn(&loop);
	if (write(out, "h", 1) != 1 || read(in, &byte, 1) != 1)
		_exit(1);
	byte = lease_is_held(one.lease) ? 'y' : 'n';
	if (write(out, &byte, 1) != 1)
		_exit(1);
	turn_for(&loop, 200);
	byte = one.lost == 1 ? 'l' : '?';
	_exit(write(out, &byte, 1) == 1 ? 0 : 1);
}

static void test_a_stopped_holder_knows(void **state)
{
	int in[2], out[2];
	char said;
	pid_t child;

	(void)state;
	leave(&one);
	turn_for(&loop, 50);
	assert_int_equal(pipe(in) + pipe(out), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold_in_child(in[0], out[1]);
	}
	assert_int_equal(read(out[0], &said, 1), 1);
	assert_int_equal(said, 'h');
	kill(child, SIGSTOP);
	enter(&two, "two");
	turn_until(&loop, two.acquired == 1);
	assert_int_equal(two.token, 3);
	assert_int_equal(write(in[1], "?", 1), 1);
	kill(child, SIGCONT);
	assert_int_equal(read(out[0], &said, 1), 1);
	assert_int_equal(said, 'n');
	assert_int_equal(read(out[0], &said, 1), 1);
	assert_int_equal(said, 'l');
	waitpid(child, NULL, 0);
	turn_for(&loop, TTL_MS);
	assert_true(lease_is_held(two.lease));
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

/* ---- closing ---- */

static void test_close_in_hooks(void **state)
{
	(void)state;
	one.close_when_lost = true;
	redis_server_do(&server, "SET lease:prize thief PX 1");
	turn_until(&loop, one.lease == NULL);
	enter(&two, "two");
	two.close_when_acquired = true;
	turn_until(&loop, two.lease == NULL);
	turn_until(&loop, redis_server_number(&server, "EXISTS lease:prize") == 0);
}

/* A daemon that leaves closes everything at once. */
static void test_given_back_although_the_link_closes(void **state)
{
	(void)state;
	leave(&one);
	turn_for(&loop, 100);
	assert_int_equal(redis_server_number(&server, "EXISTS lease:prize"), 0);
}

/* Closed while the answer to an acquisition is on its way: nobody must be shut out by it. */
static void test_close_while_asking(void **state)
{
	const struct lease_hooks hooks = {on_acquired, on_lost, &two};

	(void)state;
	lease_close(&one.lease);
	for (int turns = 0; turns < 8; turns++) {
		two.lease = lease_open(&loop, one.redis, "other", "passer-by", 60000, &hooks);
		for (int i = 0; i < turns; i++)
			uv_run(&loop, UV_RUN_NOWAIT);
		lease_close(&two.lease);
		turn_for(&loop, 50);
		assert_int_equal(redis_server_number(&server, "EXISTS lease:other"), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_holder_and_it_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_given_back_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_frozen_redis, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_restarted_redis, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_taken_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_old_token_is_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_redis_lost_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_token_that_another_has_too, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_stale_holder_cannot_commit, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_stopped_holder_knows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_in_hooks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_given_back_although_the_link_closes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_close_while_asking, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
