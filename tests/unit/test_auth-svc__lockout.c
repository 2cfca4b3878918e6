#include "lockout.h"

#include "unit.h"

static void the_first_failures_are_free(void **state)
{
	(void)state;
	for (int failures = 0; failures < 5; failures++)
		assert_int_equal(lockout_wait_ms(failures, 5, 0), 0);
}

static void the_wait_doubles(void **state)
{
	(void)state;
	assert_int_equal(lockout_wait_ms(5, 5, 0), 1000);
	assert_int_equal(lockout_wait_ms(6, 5, 0), 2000);
	assert_int_equal(lockout_wait_ms(7, 5, 0), 4000);
	assert_int_equal(lockout_wait_ms(13, 5, 0), 256000);
}

static void the_wait_has_an_end(void **state)
{
	(void)state;
	assert_int_equal(lockout_wait_ms(14, 5, 0), 300000);
	assert_int_equal(lockout_wait_ms(1000000000, 5, 0), 300000);
	assert_int_equal(lockout_wait_ms(INT64_MAX, 1, 0), 300000);
}

static void time_since_the_last_failure_counts(void **state)
{
	(void)state;
	assert_int_equal(lockout_wait_ms(6, 5, 500), 1500);
	assert_int_equal(lockout_wait_ms(6, 5, 2000), 0);
	assert_int_equal(lockout_wait_ms(6, 5, 900000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_failures_are_free),
		cmocka_unit_test(the_wait_doubles),
		cmocka_unit_test(the_wait_has_an_end),
		cmocka_unit_test(time_since_the_last_failure_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
