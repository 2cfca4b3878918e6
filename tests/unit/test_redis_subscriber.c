/* Messages of channels, before and after the server went away. */
#include "redis_fixture.h"
#include "redis_subscriber.h"

#include <string.h>

static uv_loop_t loop;
static struct redis_server server;
static struct redis_subscriber *subscriber;
static int received, close_at;
static char channel_seen[32], message_seen[32];
static size_t len_seen;

static void on_message(const char *channel, const char *message, size_t len, void *context)
{
	assert_ptr_equal(context, &received);
	snprintf(channel_seen, sizeof(channel_seen), "%s", channel);
	assert_true(len < sizeof(message_seen));
	memcpy(message_seen, message, len + 1);
	len_seen = len;
	if (++received == close_at)
		redis_subscriber_close(&subscriber);
}

static int set_up(void **state)
{
	static const char *const channels[] = {"one", "two", NULL};

	(void)state;
	uv_loop_init(&loop);
	redis_server_prepare(&server, "--appendonly no");
	server.settings.command_timeout_ms = 300;
	redis_server_start(&server);
	received = close_at = 0;
	subscriber =
		redis_subscriber_open(&loop, &server.settings, channels, on_message, &received);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	redis_subscriber_close(&subscriber);
	finish_loop(&loop);
	redis_server_remove(&server);
	return 0;
}

/* Returns how many heard it. */
static long long publish(const char *channel, const char *message, size_t len)
{
	return redis_server_number(&server, "PUBLISH %s %b", channel, message, len);
}

static void test_messages(void **state)
{
	(void)state;
	turn_until(&loop, publish("two", "a\0b", 3) == 1);
	turn_until(&loop, received == 1);
	assert_string_equal(channel_seen, "two");
	assert_int_equal(len_seen, 3);
	assert_memory_equal(message_seen, "a\0b", 3);
	assert_int_equal(publish("one", "", 0), 1);
	assert_int_equal(publish("three", "", 0), 0);
	turn_until(&loop, received == 2);
	assert_int_equal(len_seen, 0);
}

static void test_again_after_a_restart(void **state)
{
	(void)state;
	turn_until(&loop, publish("one", "x", 1) == 1);
	redis_server_kill(&server);
	redis_server_start(&server);
	turn_until(&loop, publish("one", "y", 1) == 1);
	turn_until(&loop, strcmp(message_seen, "y") == 0);
	turn_until(&loop, publish("two", "z", 1) == 1);
	turn_until(&loop, strcmp(message_seen, "z") == 0);
}

static void test_heartbeats_do_not_disturb(void **state)
{
	(void)state;
	turn_until(&loop, publish("one", "x", 1) == 1);
	turn_for(&loop, 6000);
	assert_int_equal(publish("one", "y", 1), 1);
	turn_until(&loop, received == 2);
	redis_server_freeze(&server);
	turn_for(&loop, 6000);
	redis_server_thaw(&server);
	turn_until(&loop, publish("one", "z", 1) == 1);
	turn_until(&loop, strcmp(message_seen, "z") == 0);
}

static void test_close_in_a_message(void **state)
{
	(void)state;
	close_at = 1;
	turn_until(&loop, publish("one", "x", 1) == 1);
	turn_until(&loop, subscriber == NULL);
	assert_int_equal(received, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_again_after_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_heartbeats_do_not_disturb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_in_a_message, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
