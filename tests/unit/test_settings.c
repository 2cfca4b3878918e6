#include "settings.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sample {
	char *name;
	char *secret;
	int64_t count;
	bool flag;
	char *listen;
	char *choice;
};

static const struct setting table[] = {
	{"T_NAME", SETTING_TEXT, offsetof(struct sample, name), 1, 8, NULL, NULL, false, "a name"},
	{"T_SECRET", SETTING_TEXT, offsetof(struct sample, secret), 4, 64, "", NULL, true,
	 "a secret"},
	{"T_COUNT", SETTING_NUMBER, offsetof(struct sample, count), 1, 10, "3", NULL, false,
	 "a count"},
	{"T_FLAG", SETTING_FLAG, offsetof(struct sample, flag), 0, 0, "no", NULL, false, "a flag"},
	{"T_LISTEN", SETTING_LISTEN, offsetof(struct sample, listen), 0, 0, "127.0.0.1:80", NULL,
	 false, "where"},
	{"T_CHOICE", SETTING_CHOICE, offsetof(struct sample, choice), 0, 0, "red", "red green",
	 false, "a colour"},
	{0},
};

static struct sample sample;
static const struct settings_group groups[] = {{table, &sample}, {0}};

static int set_up(void **state)
{
	(void)state;
	for (const struct setting *at = table; at->name != NULL; at++) {
		char name[64];

		unsetenv(at->name);
		snprintf(name, sizeof(name), "%s_FILE", at->name);
		unsetenv(name);
	}
	memset(&sample, 0, sizeof(sample));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	settings_free(groups);
	return 0;
}

static void assert_fault(const char *part)
{
	struct buffer faults = {0};

	assert_int_equal(settings_load(groups, &faults), -1);
	if (strstr(buffer_str(&faults), part) == NULL)
		fail_msg("no '%s' in: %s", part, buffer_str(&faults));
	buffer_free(&faults);
	settings_free(groups);
}

static void test_defaults_and_values(void **state)
{
	struct buffer faults = {0};

	(void)state;
	setenv("T_NAME", "main", 1);
	setenv("T_FLAG", "Yes", 1);
	assert_int_equal(settings_load(groups, &faults), 0);
	assert_string_equal(sample.name, "main");
	assert_string_equal(sample.secret, "");
	assert_int_equal(sample.count, 3);
	assert_true(sample.flag);
	assert_string_equal(sample.choice, "red");
	buffer_free(&faults);
}

static void test_all_faults_at_once(void **state)
{
	struct buffer faults = {0};
	int lines = 0;

	(void)state;
	setenv("T_SECRET", "abc", 1);
	setenv("T_COUNT", "11", 1);
	setenv("T_FLAG", "perhaps", 1);
	setenv("T_LISTEN", "80", 1);
	setenv("T_CHOICE", "gree", 1);
	assert_int_equal(settings_load(groups, &faults), -1);
	for (const char *at = buffer_str(&faults); *at != '\0'; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 6); /* T_NAME is missing too */
	assert_null(strstr(buffer_str(&faults), "abc"));
	buffer_free(&faults);
}

static void test_number_faults(void **state)
{
	(void)state;
	setenv("T_NAME", "x", 1);
	setenv("T_COUNT", "3x", 1);
	assert_fault("T_COUNT: '3x' is not a whole number");
	setenv("T_COUNT", "", 1);
	assert_fault("not a whole number");
	setenv("T_COUNT", "99999999999999999999", 1);
	assert_fault("not a whole number");
}

static void test_value_from_file(void **state)
{
	char path[] = "/tmp/mayday-settings-XXXXXX";
	struct buffer faults = {0};
	int file = mkstemp(path);

	(void)state;
	assert_true(file >= 0);
	assert_int_equal(write(file, "hidden\nmore\n", 12), 12);
	close(file);
	setenv("T_NAME", "x", 1);
	setenv("T_SECRET_FILE", path, 1);
	assert_int_equal(settings_load(groups, &faults), 0);
	assert_string_equal(sample.secret, "hidden");
	settings_free(groups);
	setenv("T_SECRET", "direct", 1);
	assert_fault("T_SECRET: set it or T_SECRET_FILE, not both");
	unsetenv("T_SECRET");
	unlink(path);
	assert_fault("T_SECRET_FILE: cannot read");
	buffer_free(&faults);
}

static void test_help_names_everything(void **state)
{
	struct buffer help = {0};

	(void)state;
	settings_describe(groups, &help);
	for (const struct setting *at = table; at->name != NULL; at++)
		assert_non_null(strstr(buffer_str(&help), at->name));
	buffer_free(&help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults_and_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_faults_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_number_faults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_value_from_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_help_names_everything, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
