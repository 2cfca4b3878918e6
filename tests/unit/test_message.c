/* Generated messages: what _parse() takes and refuses, and that _write() gives it back. */
#include "msg_ami_action.h"
#include "msg_ami_reply.h"
#include "msg_call_ended.h"
#include "msg_ws_subscribe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static cJSON *tree(const char *text)
{
	const char *error;
	cJSON *object = json_parse(text, strlen(text), &error);

	assert_non_null(object);
	return object;
}

#define ACTION                                                                                     \
	"{\"v\":1,\"id\":\"a1\",\"action\":\"Redirect\",\"fields\":[[\"Channel\",\"PJSIP/1\"]],"   \
	"\"deadlineAt\":1640995200000,\"replyTo\":\"replies:x\"}"

static void a_message_comes_back_as_it_was(void **state)
{
	cJSON *object = tree(ACTION);
	struct buffer out = {0};
	struct json_writer writer = json_writer_init(&out);
	struct msg_ami_action action;
	const char *error;

	(void)state;
	assert_int_equal(msg_ami_action_parse(object, &action, &error), 0);
	assert_null(error);
	assert_string_equal(action.id, "a1");
	assert_string_equal(action.reply_to, "replies:x");
	assert_int_equal(action.deadline_at, 1640995200000);
	assert_int_equal(cJSON_GetArraySize(action.fields.tree), 1);
	assert_null(action.call_id);
	msg_ami_action_write(&action, &writer);
	assert_string_equal(buffer_str(&out), ACTION);
	buffer_free(&out);
	cJSON_Delete(object);
}

static void refused(const char *text, const char *fault)
{
	cJSON *object = tree(text);
	struct msg_ami_action action;
	const char *error;

	assert_int_equal(msg_ami_action_parse(object, &action, &error), -1);
	assert_string_equal(error, fault);
	cJSON_Delete(object);
}

static void a_wrong_or_missing_field_is_named(void **state)
{
	(void)state;
	refused("[]", "not an object");
	refused("{}", "v must be 1");
	refused("{\"v\":2}", "v must be 1");
	refused("{\"v\":1,\"id\":7}", "id must be a string of 1 to 64 bytes");
	refused("{\"v\":1,\"id\":\"\"}", "id must be a string of 1 to 64 bytes");
	refused("{\"v\":1,\"id\":\"a\",\"action\":\"Ping\",\"fields\":{}}",
		"fields must be an array");
	refused("{\"v\":1,\"id\":\"a\",\"action\":\"Ping\",\"fields\":[],\"deadlineAt\":-1}",
		"deadlineAt must be a whole number from 0");
	refused("{\"v\":1,\"id\":\"a\",\"action\":\"Ping\",\"fields\":[],\"deadlineAt\":1.5}",
		"deadlineAt must be a whole number from 0");
}

static void unknown_fields_are_skipped(void **state)
{
	cJSON *object = tree("{\"id\":\"r\",\"v\":1,\"new\":[{}],\"outcome\":\"expired\","
			     "\"message\":\"late\",\"fields\":{}}");
	struct msg_ami_reply reply;
	const char *error;

	(void)state;
	assert_int_equal(msg_ami_reply_parse(object, &reply, &error), 0);
	assert_int_equal(reply.outcome, MSG_AMI_REPLY_OUTCOME_EXPIRED);
	cJSON_ReplaceItemInObject(object, "outcome", cJSON_CreateString("maybe"));
	assert_int_equal(msg_ami_reply_parse(object, &reply, &error), -1);
	assert_non_null(strstr(error, "outcome must be one of success, error"));
	cJSON_Delete(object);
}

static void strings_are_bounded(void **state)
{
	cJSON *object = tree("{\"type\":\"subscribe\",\"topics\":[\"call\",\"agent\"]}");
	cJSON *topics = cJSON_GetObjectItem(object, "topics");
	struct msg_ws_subscribe subscribe;
	const char *error;

	(void)state;
	assert_int_equal(msg_ws_subscribe_parse(object, &subscribe, &error), 0);
	assert_int_equal(subscribe.topics_count, 2);
	assert_string_equal(subscribe.topics[1], "agent");
	while (cJSON_GetArraySize(topics) < 17)
		cJSON_AddItemToArray(topics, cJSON_CreateString("x"));
	assert_int_equal(msg_ws_subscribe_parse(object, &subscribe, &error), -1);
	assert_string_equal(error, "topics must be an array of up to 16 strings");
	cJSON_Delete(object);
}

static void absent_members_are_left_out(void **state)
{
	struct buffer out = {0};
	struct json_writer writer = json_writer_init(&out);
	struct msg_call_ended ended = {.state = "ended",
				       .cause = 16,
				       .cause_text = "normal clearing",
				       .ended_at = 20,
				       .has_answered_at = true,
				       .answered_at = 10,
				       .reason = MSG_CALL_ENDED_REASON_HANGUP};

	(void)state;
	msg_call_ended_write(&ended, &writer);
	assert_string_equal(
		buffer_str(&out),
		"{\"state\":\"ended\",\"answeredAt\":10,\"endedAt\":20,\"durationMs\":0,"
		"\"cause\":16,\"causeText\":\"normal clearing\",\"reason\":\"hangup\"}");
	buffer_free(&out);
}

static void raw_text_is_copied(void **state)
{
	struct buffer out = {0};
	struct json_writer writer = json_writer_init(&out);
	struct msg_ami_reply reply = {.id = "r", .message = "", .fields.text = "{\"a\":[1]}"};

	(void)state;
	msg_ami_reply_write(&reply, &writer);
	assert_string_equal(buffer_str(&out), "{\"v\":1,\"id\":\"r\",\"outcome\":\"success\","
					      "\"message\":\"\",\"fields\":{\"a\":[1]}}");
	buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_comes_back_as_it_was),
		cmocka_unit_test(a_wrong_or_missing_field_is_named),
		cmocka_unit_test(unknown_fields_are_skipped),
		cmocka_unit_test(strings_are_bounded),
		cmocka_unit_test(absent_members_are_left_out),
		cmocka_unit_test(raw_text_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
