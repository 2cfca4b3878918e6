#include "password_rules.h"

#include "unit.h"

static void good_ones_pass(void **state)
{
	static const char *const good[] = {
		"a-long-root-password", "correct tiger rainfall 9",          "Tr4mway&Lantern",
		"xK9fWq2LmZpd",         "ein langer Satz mit Umlauten: äöü", NULL,
	};

	(void)state;
	for (int i = 0; good[i] != NULL; i++)
		if (password_fault(good[i], "ann") != NULL)
			fail_msg("%s: %s", good[i], password_fault(good[i], "ann"));
}

static void bad_ones_are_told(void **state)
{
	static const char *const bad[] = {
		"short",           "elevenchars",    "aaaaaaaaaaaaaaaa",
		"121212121212",    "123456789012",   "abcdefghijkl",
		"zyxwvutsrqpo",    "987654321098",   "password1234",
		"Password1234!",   "P@ssw0rd12345",  "passwordpassword",
		"qwertyuiop12",    "adminadmin2024", "Welcome2024!!",
		"letmeinletmein",  "iloveyou1234",   "correcthorsebatterystaple",
		"summer-winter-1", "12345password",  NULL,
	};

	(void)state;
	for (int i = 0; bad[i] != NULL; i++)
		if (password_fault(bad[i], "ann") == NULL)
			fail_msg("%s passed", bad[i]);
}

static void the_own_name_is_no_password(void **state)
{
	(void)state;
	assert_non_null(password_fault("my-Johanna-likes-7", "johanna"));
	assert_non_null(password_fault("johanna.miller", "johanna.miller"));
	assert_null(password_fault("banana-tramway-7x", "ann")); /* short names are in many words */
}

static void the_longest_is_looked_at_quickly(void **state)
{
	char text[400];

	(void)state;
	for (int i = 0; i < 399; i++)
		text[i] = "passwordqwerty"[i % 14];
	text[256] = '\0';
	assert_non_null(password_fault(text, "ann"));
	text[256] = 'x';
	text[399] = '\0';
	assert_non_null(password_fault(text, "ann"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_pass),
		cmocka_unit_test(bad_ones_are_told),
		cmocka_unit_test(the_own_name_is_no_password),
		cmocka_unit_test(the_longest_is_looked_at_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
