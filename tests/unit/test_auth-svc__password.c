#include "password.h"

#include "mem.h"
#include "unit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	uv_loop_t loop;
	struct metric_histogram seconds;
	struct password *password;
	int answers, right, wrong, stopped;
	char hash[PASSWORD_HASH_SIZE];
};

static int set_up(void **state)
{
	struct fixture *fixture = mem_new(struct fixture);

	uv_loop_init(&fixture->loop);
	fixture->password = password_open(&fixture->loop, 1, 2, &fixture->seconds);
	*state = fixture;
	return sodium_init() < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	password_close(&fixture->password);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	free(fixture);
	return 0;
}

static void on_done(enum password_result result, const char *hash, void *context)
{
	struct fixture *fixture = context;

	fixture->answers++;
	fixture->right += result == PASSWORD_RIGHT;
	fixture->wrong += result == PASSWORD_WRONG;
	fixture->stopped += result == PASSWORD_STOPPED;
	if (hash != NULL)
		strcpy(fixture->hash, hash);
}

static void verify(struct fixture *fixture, const char *text, const char *hash)
{
	assert_int_equal(password_verify(fixture->password, "a", text, hash, on_done, fixture), 0);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static void makes_and_checks_hashes(void **state)
{
	struct fixture *fixture = *state;
	char hash[PASSWORD_HASH_SIZE];

	assert_int_equal(password_hash(fixture->password, "a", "secret", on_done, fixture), 0);
	assert_int_equal(fixture->answers, 0);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	strcpy(hash, fixture->hash);
	assert_non_null(strstr(hash, "$argon2id$v=19$m=65536,t=2,p=1$"));
	verify(fixture, "secret", hash);
	verify(fixture, "Secret", hash);
	assert_int_equal(fixture->right, 2); /* the making counts as one */
	assert_int_equal(fixture->wrong, 1);
	assert_int_equal(fixture->seconds.count, 3);
}

/* Whether a user exists must not show in the time: the hash of nobody costs what a real one does.
 */
static void nobody_costs_the_same(void **state)
{
	struct fixture *fixture = *state;
	uint64_t real_us;

	assert_int_equal(password_hash(fixture->password, "a", "secret", on_done, fixture), 0);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	real_us = fixture->seconds.sum_us;
	verify(fixture, "secret", NULL);
	assert_int_equal(fixture->wrong, 1);
	assert_true(fixture->seconds.sum_us - real_us > real_us / 10);
}

static void refuses_hashes_that_are_none(void **state)
{
	struct fixture *fixture = *state;

	verify(fixture, "", "");
	verify(fixture, "secret", "secret");
	verify(fixture, "secret", "$argon2id$v=19$m=65536,t=2,p=1$");
	assert_int_equal(fixture->wrong, 3);
}

static void has_a_bounded_line(void **state)
{
	struct fixture *fixture = *state;
	int taken = 0;

	for (int i = 0; i < 10; i++)
		taken += password_verify(fixture->password, "a", "x", NULL, on_done, fixture) == 0;
	assert_int_equal(taken, 3);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(fixture->answers, 3);
}

static void tells_who_waits_when_it_closes(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(
			password_verify(fixture->password, "a", "x", NULL, on_done, fixture), 0);
	password_close(&fixture->password);
	assert_int_equal(fixture->stopped, 3);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(fixture->answers, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(makes_and_checks_hashes),        TEST(nobody_costs_the_same),
		TEST(refuses_hashes_that_are_none),   TEST(has_a_bounded_line),
		TEST(tells_who_waits_when_it_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
