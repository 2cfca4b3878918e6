/* A link to peers that are no proper Redis: what they say must neither crash it nor stop it. */
#include "mem.h"
#include "redis_fixture.h"
#include "redis_link.h"

#include <stdlib.h>
#include <string.h>

static uv_loop_t loop;
static struct fake_peer peer;
static struct redis_link *redis;
static int ups, downs, replies, lost;
static char text[64], reason_seen[256];

static void on_up(void *context)
{
	(void)context;
	ups++;
}

static void on_down(const char *reason, void *context)
{
	(void)context;
	downs++;
	snprintf(reason_seen, sizeof(reason_seen), "%s", reason);
}

static void on_reply(const redisReply *reply, void *context)
{
	(void)context;
	if (reply == NULL) {
		lost++;
		return;
	}
	replies++;
	snprintf(text, sizeof(text), "%s", reply->str != NULL ? reply->str : "");
}

static void open_link(void)
{
	const struct redis_link_hooks hooks = {on_up, on_down, NULL};

	redis = redis_link_open(&loop, &peer.settings, "test", &hooks);
}

static void open_link_and_wait(void)
{
	open_link();
	turn_until(&loop, ups == 1);
}

static int set_up(void **state)
{
	(void)state;
	uv_loop_init(&loop);
	fake_peer_open(&peer, &loop);
	peer.settings.command_timeout_ms = 300;
	ups = downs = replies = lost = 0;
	text[0] = reason_seen[0] = '\0';
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	redis_link_close(&redis);
	fake_peer_close(&peer);
	finish_loop(&loop);
	return 0;
}

static void ask(int times)
{
	for (int i = 0; i < times; i++)
		assert_int_equal(redis_link_command(redis, on_reply, NULL, "PING"), 0);
}

static void test_dies_in_the_middle_of_a_reply(void **state)
{
	size_t greeted;

	(void)state;
	peer.second = "$10\r\nhalf";
	open_link_and_wait();
	greeted = peer.received;
	ask(2);
	turn_until(&loop, peer.received > greeted);
	turn_for(&loop, 50);
	fake_peer_hang_up(&peer);
	turn_until(&loop, downs == 1);
	assert_int_equal(lost, 2);
	assert_string_equal(reason_seen, "closed by the server");
	turn_until(&loop, ups == 2);
}

static void test_bytes_that_are_no_reply(void **state)
{
	static const char *const garbage[] = {
		"HTTP/1.1 400 Bad Request\r\n\r\n",
		"$-7\r\n",
		"*99999999999\r\n",
		"$abc\r\n",
		"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
		"?",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		peer.second = garbage[i];
		ups = downs = lost = replies = 0;
		open_link_and_wait();
		ask(3);
		turn_until(&loop, downs == 1);
		assert_int_equal(lost + replies, 3); /* newer hiredis take any depth */
		assert_in_range(lost, 2, 3);
		redis_link_close(&redis);
	}
}

static void test_a_reply_that_nobody_asked_for(void **state)
{
	(void)state;
	open_link_and_wait();
	fake_peer_say(&peer, "+surprise\r\n");
	turn_until(&loop, downs == 1);
	assert_string_equal(reason_seen, "a reply that nobody asked for");
	turn_until(&loop, ups == 2);
	peer.second = "+first\r\n+second\r\n";
	ask(1);
	turn_until(&loop, downs == 2);
	assert_string_equal(text, "first");
	assert_int_equal(replies, 1);
	turn_until(&loop, ups == 3);
}

static void test_a_reply_in_single_bytes(void **state)
{
	static const char reply[] = "$6\r\nslowly\r\n";

	(void)state;
	open_link_and_wait();
	ask(1);
	turn(&loop);
	for (const char *at = reply; *at != '\0'; at++) {
		fake_peer_say(&peer, (const char[]){*at, '\0'});
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	turn_until(&loop, replies == 1);
	assert_string_equal(text, "slowly");
	assert_int_equal(downs, 0);
}

static void test_too_many_clients(void **state)
{
	char *log;

	(void)state;
	peer.greeting = "-ERR max number of clients reached\r\n";
	hide_log();
	open_link();
	turn_until(&loop, peer.accepted == 3);
	log = show_log();
	assert_non_null(strstr(log, "not usable: ERR max number of clients reached"));
	free(log);
	peer.greeting = FAKE_GREETING;
	turn_until(&loop, ups == 1);
	assert_int_equal(downs, 0);
}

static void test_servers_that_are_not_ready(void **state)
{
	static const char *const greetings[] = {
		"-LOADING Redis is loading the dataset in memory\r\n",
		"-MASTERDOWN Link with MASTER is down\r\n",
		"+PONG\r\n+OK\r\n*1\r\n$5\r\nslave\r\n",
		"+PONG\r\n+OK\r\n*1\r\n$8\r\nsentinel\r\n",
		NULL, /* silence */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(greetings) / sizeof(*greetings); i++) {
		int before = peer.accepted;

		peer.greeting = greetings[i];
		ups = 0;
		open_link();
		turn_until(&loop, peer.accepted == before + 2);
		assert_int_equal(ups, 0);
		peer.greeting = FAKE_GREETING;
		turn_until(&loop, ups == 1);
		redis_link_close(&redis);
	}
}

/* A server that takes and drops connections must not be asked without end. */
static void test_backs_off(void **state)
{
	(void)state;
	peer.greeting = "-ERR go away\r\n";
	open_link();
	turn_for(&loop, 1500);
	assert_in_range(peer.accepted, 2, 15);
}

static void test_a_role_that_may_not_be_asked(void **state)
{
	(void)state;
	peer.greeting = "+PONG\r\n-NOPERM no\r\n-NOPERM no\r\n";
	open_link_and_wait();
}

static void test_an_idle_link_notices_a_silent_death(void **state)
{
	(void)state;
	open_link_and_wait();
	turn_until(&loop, downs == 1); /* nobody asked anything */
	assert_string_equal(reason_seen, "no reply in time");
}

static void test_names(void **state)
{
	static char bad[] = "no-such-host.invalid", good[] = "localhost";
	char *host = peer.settings.host;
	struct sockaddr_in address;
	int len = sizeof(address);
	uv_tcp_t second;

	(void)state;
	peer.settings.host = bad;
	open_link();
	turn_for(&loop, 300);
	assert_int_equal(ups, 0);
	redis_link_close(&redis);
	open_link();
	redis_link_close(&redis); /* during the look-up */

	uv_tcp_init(&loop, &second);
	uv_ip4_addr("127.0.0.1", 0, &address);
	assert_int_equal(uv_tcp_bind(&second, (struct sockaddr *)&address, 0), 0);
	second.data = &peer;
	assert_int_equal(uv_listen((uv_stream_t *)&second, 1, peer.listener.connection_cb), 0);
	uv_tcp_getsockname(&second, (struct sockaddr *)&address, &len);
	peer.settings.host = good;
	peer.settings.port = ntohs(address.sin_port);
	open_link_and_wait();
	uv_close((uv_handle_t *)&second, NULL);
	peer.settings.host = host;
	redis_link_close(&redis);
	turn(&loop);
}

static void test_a_connect_that_hangs(void **state)
{
	static char nowhere[] = "203.0.113.1"; /* RFC 5737: nobody is there */
	char *log;

	(void)state;
	peer.settings.host = nowhere;
	peer.settings.connect_timeout_ms = 100;
	hide_log();
	open_link();
	turn_for(&loop, 400);
	log = show_log();
	assert_non_null(strstr(log, "Redis cannot be used"));
	free(log);
	assert_int_equal(ups, 0);
}

/* A peer that stops reading: what cannot be sent waits, and times out like all else. */
static void test_a_peer_that_does_not_read(void **state)
{
	char *big = mem_alloc(1 << 20);
	int accepted = 0;

	(void)state;
	peer.settings.command_timeout_ms = 3000;
	open_link_and_wait();
	uv_read_stop((uv_stream_t *)peer.client);
	while (redis_link_command(redis, on_reply, NULL, "ECHO %b", big, (size_t)1 << 20) == 0)
		if (++accepted % 10 == 0)
			turn(&loop);
	assert_true(redis_link_is_up(redis));
	assert_in_range(accepted, 64, 199); /* the kernel takes some, too */
	turn_until(&loop, downs == 1);
	assert_int_equal(lost, accepted);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dies_in_the_middle_of_a_reply, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_bytes_that_are_no_reply, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_reply_that_nobody_asked_for, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_reply_in_single_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_clients, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_servers_that_are_not_ready, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backs_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_role_that_may_not_be_asked, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_an_idle_link_notices_a_silent_death, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_connect_that_hangs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_peer_that_does_not_read, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
