/* A link that finds its master by Sentinels: a real trio with a real fail-over, and Sentinels that
   are dead, know nothing, or tell an old story. */
#include "mem.h"
#include "redis_fixture.h"
#include "redis_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENTINELS 3

static uv_loop_t loop;
static struct redis_server servers[2], sentinels[SENTINELS];
static struct redis_settings settings;
static struct redis_link *redis;
static int ups, downs, stored, refused;

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

static void on_stored(const redisReply *reply, void *context)
{
	(void)context;
	if (reply != NULL && reply->type != REDIS_REPLY_ERROR)
		stored++;
	else
		refused++;
}

static void open_link(void)
{
	const struct redis_link_hooks hooks = {on_up, on_down, NULL};

	ups = downs = stored = refused = 0;
	redis = redis_link_open(&loop, &settings, "test", &hooks);
}

/* ---- a real trio ---- */

static void configure(struct redis_server *sentinel)
{
	char *path = mem_printf("%s/sentinel.conf", sentinel->folder);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file,
		"sentinel announce-ip %s\n"
		"sentinel announce-port 6379\n"
		"sentinel monitor mymaster %s %d 2\n"
		"sentinel down-after-milliseconds mymaster 500\n"
		"sentinel failover-timeout mymaster 3000\n",
		sentinel->host, servers[0].host, servers[0].port);
	fclose(file);
	free(path);
}

static void start_trio(void)
{
	char *list = mem_strdup("");

	for (int i = 0; i < 2; i++) {
		redis_server_prepare(&servers[i], "--repl-diskless-sync-delay 0");
		redis_server_start(&servers[i]);
	}
	for (int i = 0; i < 2; i++) /* what the kernel says is 127.0.0.1 for all of them */
		redis_server_do(&servers[i], "CONFIG SET replica-announce-ip %s", servers[i].host);
	redis_server_do(&servers[1], "REPLICAOF %s %d", servers[0].host, servers[0].port);
	for (int i = 0; i < SENTINELS; i++) {
		char *longer;

		redis_server_prepare(&sentinels[i], "sentinel.conf --sentinel");
		configure(&sentinels[i]);
		redis_server_start(&sentinels[i]);
		longer = mem_printf("%s %s:%d", list, sentinels[i].host, sentinels[i].port);
		free(list);
		list = longer;
	}
	settings = servers[0].settings;
	settings.sentinels = list;
}

static bool info_has(struct redis_server *server, const char *word)
{
	redisReply *reply = redis_server_ask(server, "INFO");
	bool has = reply->type == REDIS_REPLY_STRING && strstr(reply->str, word) != NULL;

	freeReplyObject(reply);
	return has;
}

static int set_up_trio(void **state)
{
	(void)state;
	uv_loop_init(&loop);
	start_trio();
	turn_until(&loop, info_has(&servers[1], "master_link_status:up"));
	for (int i = 0; i < SENTINELS; i++)
		turn_until(&loop, info_has(&sentinels[i], "slaves=1,sentinels=3"));
	return 0;
}

static int tear_down_trio(void **state)
{
	(void)state;
	redis_link_close(&redis);
	finish_loop(&loop);
	free(settings.sentinels);
	for (int i = 0; i < SENTINELS; i++)
		redis_server_remove(&sentinels[i]);
	for (int i = 0; i < 2; i++)
		redis_server_remove(&servers[i]);
	return 0;
}

static void write_until_stored(void)
{
	turn_until(&loop, redis_link_is_up(redis));
	stored = 0;
	redis_link_command(redis, on_stored, NULL, "SET key value");
	turn_until(&loop, stored + refused > 0);
}

static void test_a_real_failover(void **state)
{
	(void)state;
	open_link();
	write_until_stored();
	assert_int_equal(stored, 1);
	redis_server_kill(&sentinels[1]); /* one of them is away, too */
	redis_server_kill(&servers[0]);
	turn_until(&loop, downs == 1);
	turn_until(&loop, ups == 2);
	write_until_stored();
	assert_int_equal(stored, 1);
	assert_int_equal(refused, 0);
	assert_true(info_has(&servers[1], "role:master"));
}

/* ---- Sentinels that pretend ---- */

static struct fake_peer fakes[2];
static struct redis_server server;
static char list[160];

static int set_up_fakes(void **state)
{
	(void)state;
	uv_loop_init(&loop);
	for (int i = 0; i < 2; i++)
		fake_peer_open(&fakes[i], &loop);
	redis_server_prepare(&server, "--appendonly no");
	redis_server_start(&server);
	settings = server.settings;
	settings.command_timeout_ms = settings.connect_timeout_ms = 200;
	snprintf(list, sizeof(list), " %s:6379  %s:6379", fakes[0].host, fakes[1].host);
	settings.sentinels = list;
	return 0;
}

static int tear_down_fakes(void **state)
{
	(void)state;
	redis_link_close(&redis);
	for (int i = 0; i < 2; i++)
		fake_peer_close(&fakes[i]);
	finish_loop(&loop);
	redis_server_remove(&server);
	return 0;
}

static const char *address_of(const char *host)
{
	static char reply[2][80];
	static int at;

	at = 1 - at;
	snprintf(reply[at], sizeof(reply[at]), "*2\r\n$%zu\r\n%s\r\n$4\r\n6379\r\n", strlen(host),
		 host);
	return reply[at];
}

static void test_the_next_is_asked(void **state)
{
	static const char *const useless[] = {
		"*-1\r\n", "-IDONTKNOW\r\n", "garbage", "*2\r\n:1\r\n:2\r\n", NULL,
	};

	(void)state;
	fakes[1].greeting = address_of(server.host);
	for (size_t i = 0; i < sizeof(useless) / sizeof(*useless); i++) {
		fakes[0].greeting = useless[i];
		open_link();
		turn_until(&loop, ups == 1);
		redis_link_close(&redis);
	}
	assert_true(fakes[0].accepted >= 5);
}

static void test_none_knows(void **state)
{
	char *log;

	(void)state;
	fakes[0].greeting = fakes[1].greeting = "*-1\r\n";
	hide_log();
	open_link();
	turn_until(&loop, fakes[1].accepted == 3);
	log = show_log();
	assert_non_null(strstr(log, "does not know the master"));
	free(log);
	fakes[1].greeting = address_of(server.host);
	turn_until(&loop, ups == 1);
}

/* The first one still names a server that is a replica now. */
static void test_an_old_story(void **state)
{
	struct fake_peer replica;

	(void)state;
	fake_peer_open(&replica, &loop);
	replica.greeting = "+PONG\r\n+OK\r\n*1\r\n$5\r\nslave\r\n";
	fakes[0].greeting = address_of(replica.host);
	fakes[1].greeting = address_of(server.host);
	open_link();
	turn_until(&loop, ups == 1);
	assert_int_equal(replica.accepted, 1);
	fake_peer_close(&replica);
}

static void test_close_while_asking(void **state)
{
	(void)state;
	fakes[0].greeting = NULL;
	for (int turns = 0; turns < 6; turns++) {
		open_link();
		for (int i = 0; i < turns; i++)
			uv_run(&loop, UV_RUN_NOWAIT);
		redis_link_close(&redis);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_next_is_asked, set_up_fakes,
						tear_down_fakes),
		cmocka_unit_test_setup_teardown(test_none_knows, set_up_fakes, tear_down_fakes),
		cmocka_unit_test_setup_teardown(test_an_old_story, set_up_fakes, tear_down_fakes),
		cmocka_unit_test_setup_teardown(test_close_while_asking, set_up_fakes,
						tear_down_fakes),
		cmocka_unit_test_setup_teardown(test_a_real_failover, set_up_trio, tear_down_trio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
