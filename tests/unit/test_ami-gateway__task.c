#include "task.h"

#include "event_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct task *make(const char *text)
{
	return task_new("1-0", text, strlen(text));
}

#define ORIGINATE                                                                                  \
	"{\"v\":1,\"id\":\"id-1\",\"action\":\"Originate\",\"deadlineAt\":5,\"callId\":\"c-1\","   \
	"\"replyTo\":\"replies:x\",\"fields\":[[\"Channel\",\"PJSIP/"                              \
	"1001\"],[\"ChannelId\",\"x\"],"                                                           \
	"[\"async\",\"false\"]]}"

static void test_an_originate(void **state)
{
	struct task *task = make(ORIGINATE);
	struct ami_action action = {0};
	char *fields;

	(void)state;
	assert_null(task->fault);
	assert_true(task_is_originate(task));
	assert_null(task_compose(task, &action, &fields));
	assert_string_equal(buffer_str(&action.text),
			    "Action: Originate\r\nActionID: id-1\r\nChannel: PJSIP/1001\r\n"
			    "ChannelId: c-1\r\nAsync: true\r\n\r\n");
	assert_string_equal(
		fields,
		"[[\"Channel\",\"PJSIP/1001\"],[\"ChannelId\",\"c-1\"],[\"Async\",\"true\"]]");
	free(fields);
	ami_action_free(&action);
	task_free(&task);
}

static void expect_fault(const char *text)
{
	struct task *task = make(text);
	struct ami_action action = {0};
	char *fields = NULL;

	if (task->fault == NULL)
		assert_non_null(task_compose(task, &action, &fields));
	assert_null(fields);
	task_answer(task, MSG_AMI_REPLY_OUTCOME_INVALID, "no");
	assert_non_null(strstr(buffer_str(&task->reply), "\"outcome\":\"invalid\""));
	ami_action_free(&action);
	task_free(&task);
}

#define WITH(action, fields)                                                                       \
	"{\"v\":1,\"id\":\"i\",\"action\":\"" action "\",\"deadlineAt\":5,\"fields\":" fields "}"

static void test_faults(void **state)
{
	(void)state;
	expect_fault("");
	expect_fault("[]");
	expect_fault("{\"v\":1}");
	expect_fault(WITH("Originate", "[]")); /* no callId */
	expect_fault(WITH("Setvar", "[[\"Value\",\"a\\r\\nb\"]]"));
	expect_fault(WITH("Setvar", "[[\"Value\",5]]"));
	expect_fault(WITH("Setvar", "[[\"Value\"]]"));
	expect_fault(WITH("Setvar", "[[\"A\",\"b\",\"c\"]]"));
	expect_fault(WITH("Setvar", "{}"));
	expect_fault(WITH("Shutdown", "[]"));
}

static struct task *answered;

static void on_message(const struct ami_message *message, void *context)
{
	(void)context;
	if (message->kind == AMI_RESPONSE)
		task_add_response(answered, message);
	else
		task_add_item(answered, message);
}

static void test_a_reply_with_a_list(void **state)
{
	static const char text[] =
		"Response: Success\r\nActionID: i\r\nMessage: will follow\n\r\nEventList: start\r\n"
		"Extra: 1\r\n\r\nEvent: A\r\nActionID: i\r\nK: 1\r\n\r\nEvent: A\r\nActionID: "
		"i\r\n\r\n";
	struct ami_parser *parser = ami_parser_new(on_message, NULL);

	(void)state;
	answered = make(WITH("Status", "[]"));
	ami_parser_feed(parser, text, sizeof(text) - 1);
	task_answer(answered, answered->outcome, NULL);
	assert_string_equal(buffer_str(&answered->reply),
			    "{\"v\":1,\"id\":\"i\",\"outcome\":\"success\",\"message\":\"will "
			    "follow\",\"fields\":{\"Extra\":\"1\"},"
			    "\"events\":[{\"Event\":\"A\",\"K\":\"1\"},{\"Event\":\"A\"}]}");
	assert_int_equal(answered->state, TASK_ANSWERED);
	task_free(&answered);
	ami_parser_free(&parser);
}

static void test_filter(void **state)
{
	struct event_filter *filter = event_filter_new("  VarSet CEL  VarSet RTCPSent ");
	struct event_filter *none = event_filter_new("none");

	(void)state;
	assert_int_equal(event_filter_count(filter), 3);
	assert_true(event_filter_has(filter, "VarSet", 6));
	assert_true(event_filter_has(filter, "CEL", 3));
	assert_false(event_filter_has(filter, "VarSetX", 7));
	assert_false(event_filter_has(filter, "VarSe", 5));
	assert_false(event_filter_has(filter, "", 0));
	assert_int_equal(event_filter_count(none), 0);
	event_filter_free(&filter);
	event_filter_free(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_originate),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_a_reply_with_a_list),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
