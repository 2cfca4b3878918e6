#include "ami_action.h"

#include "action_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_compose(void **state)
{
	struct ami_action action = {0};

	(void)state;
	ami_action_begin(&action, "Hangup", "id-1");
	ami_action_field(&action, "Channel", "PJSIP/1001-00000001");
	assert_int_equal(ami_action_end(&action), 0);
	assert_string_equal(
		buffer_str(&action.text),
		"Action: Hangup\r\nActionID: id-1\r\nChannel: PJSIP/1001-00000001\r\n\r\n");
	ami_action_free(&action);
}

static void expect_refused(const char *key, const char *value, const char *error)
{
	struct ami_action action = {0};

	ami_action_begin(&action, "Setvar", "id");
	ami_action_field(&action, key, value);
	ami_action_field(&action, "After", "x");
	assert_int_equal(ami_action_end(&action), -1);
	assert_string_equal(action.error, error);
	ami_action_free(&action);
}

static void test_refuse(void **state)
{
	(void)state;
	expect_refused("Value", "a\r\nAction: Ping", "a value holds a line end");
	expect_refused("Value", "a\n", "a value holds a line end");
	expect_refused("Value", "\r", "a value holds a line end");
	expect_refused("Va\r\nlue", "a", "the name of a field is not allowed");
	expect_refused("Va:lue", "a", "the name of a field is not allowed");
	expect_refused("", "a", "the name of a field is not allowed");
}

static int compose_line(size_t value_len)
{
	static char value[2000];
	struct ami_action action = {0};
	int result;

	memset(value, 'v', value_len);
	value[value_len] = '\0';
	ami_action_begin(&action, "UserEvent", "id");
	ami_action_field(&action, "K", value);
	result = ami_action_end(&action);
	ami_action_free(&action);
	return result;
}

static int compose_fields(size_t count)
{
	struct ami_action action = {0};
	int result;

	ami_action_begin(&action, "UserEvent", "id");
	for (size_t i = 0; i < count; i++)
		ami_action_field(&action, "K", "v");
	result = ami_action_end(&action);
	ami_action_free(&action);
	return result;
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(compose_line(AMI_LINE_MAX - 3), 0);
	assert_int_equal(compose_line(AMI_LINE_MAX - 2), -1);
	assert_int_equal(compose_fields(AMI_ACTION_HEADERS_MAX - 2), 0);
	assert_int_equal(compose_fields(AMI_ACTION_HEADERS_MAX - 1), -1);
}

static const char *refusal(const char *action, const char *key, const char *value)
{
	struct action_field field = {key, value};

	return action_refusal(action, &field, 1);
}

static void test_rules(void **state)
{
	(void)state;
	assert_null(action_refusal("Redirect", NULL, 0));
	assert_null(refusal("originate", "Application", "ChanSpy"));
	assert_null(refusal("Setvar", "Variable", "CUSTOMER"));
	assert_null(refusal("Originate", "Variable", "CUSTOMER=Ivan (VIP),CALLERID(name)=x"));
	assert_null(refusal("Getvar", "Variable", "CHANNEL(language)"));
	assert_null(refusal("Command", "Command", "pjsip reload qualify endpoint 1001"));
	assert_non_null(action_refusal("ModuleLoad", NULL, 0));
	assert_non_null(action_refusal("", NULL, 0));
	assert_non_null(action_refusal("Ping Redirect", NULL, 0));
	assert_non_null(refusal("Originate", "Application", "System"));
	assert_non_null(refusal("Originate", "Application", ""));
	assert_non_null(refusal("Getvar", "Variable", "SHELL(id)"));
	assert_non_null(refusal("Originate", "Variable", "A=1,FILE(/etc/passwd)=x"));
	assert_non_null(refusal("Command", "Command", "core stop now"));
	assert_non_null(refusal("Command", "Command", "pjsip reload qualify endpoint a b"));
	assert_non_null(refusal("Command", "Command", "!id"));
	assert_non_null(refusal("MixMonitor", "Command", "rm"));
	assert_non_null(refusal("Hangup", "ActionID", "x"));
	assert_non_null(refusal("Hangup", "action", "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compose),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
