/* Who sees whom, by teams that stand in a real Redis. */
#include "reach.h"
#include "redis_fixture.h"

#include <string.h>

#define MAY PERMISSION_ALL_CALLS

static uv_loop_t loop;
static struct redis_server server;
static struct redis_link *redis;
static struct reach *reach;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	redis_server_prepare(&server, "");
	redis_server_start(&server);
	redis_server_do(&server, "SADD team:7:extensions 1002 1001");
	redis_server_do(&server, "SADD team:8:extensions 1003");
	redis = redis_link_open(&loop, &server.settings, "test", NULL);
	turn_until(&loop, redis_link_is_up(redis));
	reach = reach_new(redis);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	reach_free(&reach);
	redis_link_close(&redis);
	finish_loop(&loop);
	redis_server_remove(&server);
	return 0;
}

static struct principal person(const char *teams, uint64_t permissions)
{
	struct principal who = {.extension = "2000", .permissions = permissions, .reach = reach};

	strcpy(who.teams, teams);
	return who;
}

static struct principal manager(const char *teams)
{
	return person(teams, UINT64_C(1) << MAY);
}

static void on_loaded(bool ok, void *context)
{
	*(int *)context = ok ? 1 : -1;
}

static void load(const char *teams, const char *version, int wanted)
{
	int answer = 0;

	reach_load(reach, teams, version, on_loaded, &answer);
	turn_until(&loop, answer != 0);
	assert_int_equal(answer, wanted);
}

static void assert_all(const struct principal *who, const char *wanted)
{
	struct buffer out = {0};

	reach_write(who, MAY, &out);
	assert_string_equal(buffer_str(&out), wanted);
	buffer_free(&out);
}

static void test_own_teams_and_all(void **state)
{
	struct principal boss = manager("*"), mary = manager("7 8"), ann = person("7", 0);
	struct principal nobody = manager("");

	(void)state;
	load("7 8", "a", 1);
	assert_true(reach_is_all(&boss, MAY) && reach_sees(&boss, MAY, "4711"));
	assert_false(reach_is_all(&mary, MAY));
	assert_all(&mary, "2000,1001,1002,1003");
	assert_true(reach_sees(&mary, MAY, "1003") && reach_sees(&mary, MAY, "2000"));
	assert_false(reach_sees(&mary, MAY, "1004") || reach_sees(&mary, MAY, "") ||
		     reach_sees(&mary, MAY, "100"));
	/* without the permission the teams are nothing */
	assert_all(&ann, "2000");
	assert_false(reach_sees(&ann, MAY, "1001"));
	assert_all(&nobody, "2000");
	nobody.extension[0] = '\0';
	assert_all(&nobody, "");
	assert_false(reach_sees(&nobody, MAY, ""));
	/* one that nobody has loaded for */
	mary.reach = NULL;
	assert_false(reach_sees(&mary, MAY, "1001"));
}

static void test_lists_in_json(void **state)
{
	struct principal mary = manager("7"), boss = manager("*");
	struct buffer out = {0};
	struct json_writer writer = json_writer_init(&out);

	(void)state;
	load("7", "a", 1);
	assert_true(reach_sees_one_of(&mary, MAY, "[\"1003\",\"1001\"]"));
	assert_false(reach_sees_one_of(&mary, MAY, "[\"1003\"]") ||
		     reach_sees_one_of(&mary, MAY, "[1001]") ||
		     reach_sees_one_of(&mary, MAY, "[]") || reach_sees_one_of(&mary, MAY, "") ||
		     reach_sees_one_of(&mary, MAY, "[\"1001\""));
	assert_true(reach_sees_one_of(&boss, MAY, ""));
	reach_write_those(&mary, MAY, "[{\"extension\":\"1003\"},{\"extension\":\"1002\"},{}]",
			  &writer);
	assert_string_equal(buffer_str(&out), "[{\"extension\":\"1002\"}]");
	buffer_free(&out);
}

static void test_each_version_is_read_once(void **state)
{
	struct principal mary = manager("7");

	(void)state;
	load("7", "a", 1);
	redis_server_do(&server, "SREM team:7:extensions 1002");
	load("7", "a", 1);
	assert_all(&mary, "2000,1001,1002");
	load("7", "b", 1);
	assert_all(&mary, "2000,1001");
	redis_server_do(&server, "DEL team:7:extensions");
	load("7", "", 1);
	assert_all(&mary, "2000");
	/* nothing to ask for is answered at once */
	load("", "c", 1);
	load("*", "c", 1);
}

static void test_redis_is_away(void **state)
{
	struct principal mary = manager("7");

	(void)state;
	load("7", "a", 1);
	redis_server_kill(&server);
	turn_until(&loop, !redis_link_is_up(redis));
	load("7", "b", -1);
	load("7", "a", 1);
	assert_all(&mary, "2000,1001,1002");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own_teams_and_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lists_in_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_version_is_read_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_redis_is_away, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
