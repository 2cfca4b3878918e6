/* The generated table of roles and permissions. */
#include "permissions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void roles_are_known_by_name(void **state)
{
	enum role role = ROLE_MANAGER;

	(void)state;
	assert_true(role_parse("superuser", &role));
	assert_int_equal(role, ROLE_SUPERUSER);
	assert_false(role_parse("root", &role));
	assert_false(role_parse("", &role));
	assert_false(role_parse(NULL, &role));
	assert_int_equal(role, ROLE_SUPERUSER);
	assert_string_equal(role_name(ROLE_AGENT), "agent");
	assert_null(role_name((enum role)77));
}

static void each_role_has_all_of_the_one_below(void **state)
{
	(void)state;
	for (enum role role = ROLE_MANAGER; role <= ROLE_SUPERUSER; role++) {
		uint64_t below = role_permissions(role - 1);

		assert_int_equal(role_permissions(role) & below, below);
		assert_int_not_equal(role_permissions(role), below);
	}
	assert_int_equal(role_permissions(ROLE_SUPERUSER), (UINT64_C(1) << PERMISSION_END) - 1);
	assert_int_equal(role_permissions((enum role)77), 0);
}

static void an_agent_touches_only_its_own(void **state)
{
	uint64_t agent = role_permissions(ROLE_AGENT);

	(void)state;
	assert_true(agent >> PERMISSION_MAKE_CALLS & 1);
	assert_false(agent >> PERMISSION_ALL_CALLS & 1);
	assert_false(agent >> PERMISSION_MONITOR_CALLS & 1);
	assert_false(role_permissions(ROLE_MANAGER) >> PERMISSION_MANAGE_USERS & 1);
}

static void permissions_have_names(void **state)
{
	(void)state;
	assert_string_equal(permission_name(PERMISSION_MAKE_CALLS), "make_calls");
	assert_null(permission_name(PERMISSION_NONE));
	assert_null(permission_name(PERMISSION_END));
	for (enum permission i = PERMISSION_NONE + 1; i < PERMISSION_END; i++)
		assert_non_null(permission_name(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_are_known_by_name),
		cmocka_unit_test(each_role_has_all_of_the_one_below),
		cmocka_unit_test(an_agent_touches_only_its_own),
		cmocka_unit_test(permissions_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
