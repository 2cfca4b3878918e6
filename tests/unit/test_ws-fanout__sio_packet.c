#include "json.h"
#include "recovery.h"
#include "sio_packet.h"
#include "unit.h"

#include <string.h>

static void test_packets(void **state)
{
	static const struct {
		const char *text;
		bool good;
		enum sio_type type;
		const char *nsp, *id, *data;
	} cases[] = {
		{"0", true, SIO_CONNECT, "/", "", ""},
		{"0{\"a\":1}", true, SIO_CONNECT, "/", "", "{\"a\":1}"},
		{"0/call", true, SIO_CONNECT, "/call", "", ""},
		{"0/call,{}", true, SIO_CONNECT, "/call", "", "{}"},
		{"2[\"a\"]", true, SIO_EVENT, "/", "", "[\"a\"]"},
		{"212[\"a\"]", true, SIO_EVENT, "/", "12", "[\"a\"]"},
		{"2/x,12[\"a\"]", true, SIO_EVENT, "/x", "12", "[\"a\"]"},
		{"1", true, SIO_DISCONNECT, "/", "", ""},
		{"3123[]", true, SIO_ACK, "/", "123", "[]"},
		{"", false, 0, NULL, NULL, NULL},
		{"x", false, 0, NULL, NULL, NULL},
		{"5[]", false, 0, NULL, NULL, NULL},
		{"6[]", false, 0, NULL, NULL, NULL},
		{"21234567890123456[]", false, 0, NULL, NULL, NULL},
		{"0/123456789012345678901234567890123,", false, 0, NULL, NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sio_packet packet;
		bool good = sio_packet_parse(cases[i].text, strlen(cases[i].text), &packet);

		if (good != cases[i].good)
			fail_msg("%s: %d", cases[i].text, good);
		if (!good)
			continue;
		assert_int_equal(packet.type, cases[i].type);
		assert_string_equal(packet.nsp, cases[i].nsp);
		assert_string_equal(packet.id, cases[i].id);
		assert_int_equal(packet.len, strlen(cases[i].data));
		assert_memory_equal(packet.data, cases[i].data, packet.len);
	}
}

static void test_a_poll_holds_packets(void **state)
{
	const char *rest = "40\x1e\x1e"
			   "2",
		   *packet;
	size_t rest_len = 5, len;

	(void)state;
	assert_true(eio_next_packet(&rest, &rest_len, &packet, &len));
	assert_int_equal(len, 2);
	assert_true(eio_next_packet(&rest, &rest_len, &packet, &len));
	assert_int_equal(len, 0);
	assert_true(eio_next_packet(&rest, &rest_len, &packet, &len));
	assert_int_equal(len, 1);
	assert_false(eio_next_packet(&rest, &rest_len, &packet, &len));
}

static void test_offsets(void **state)
{
	struct entry_id at[TOPIC_COUNT] = {{1718, 3}, {0, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 9}};
	struct positions positions;
	char text[OFFSET_TEXT_MAX];

	(void)state;
	assert_string_equal(offset_format(at, text), "1718-3_0-0_5-0_6-0_7-0_8-9_0-0");
	assert_true(offset_parse(text, &positions));
	assert_int_equal(positions.topics, TOPIC_ALL);
	assert_memory_equal(positions.at, at, sizeof(at));
	assert_true(offset_parse("call:7-1,agent:3", &positions));
	assert_int_equal(positions.topics, topic_bit(TOPIC_CALL) | topic_bit(TOPIC_AGENT));
	assert_false(offset_parse("", &positions));
	assert_false(offset_parse("1-0_1-0", &positions));
	assert_false(offset_parse("1718-3_0-0_5-0_6-0_7-0_8-9_0-0_1-0", &positions));
	assert_false(offset_parse("call:7-1,moon:3", &positions));
}

/* What the client brings back, with an offset or before its first event. */
static void test_recovery(void **state)
{
	struct entry_id at[TOPIC_COUNT] = {{1, 0}, {2, 0}};
	struct recovery_id first = {0}, again = {0};
	cJSON *auth = cJSON_CreateObject();

	(void)state;
	recovery_begin(&first, at);
	cJSON_AddStringToObject(auth, "pid", first.pid);
	recovery_read(&again, auth);
	assert_string_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(auth, "since"), 1)->valuestring,
			    "agent:2-0");
	recovery_begin(&again, at);
	assert_string_equal(first.pid, again.pid);
	assert_string_equal(first.sid, again.sid);
	cJSON_DeleteItemFromObject(auth, "since");
	cJSON_AddStringToObject(auth, "offset", "9-9_0-0_0-0_0-0_0-0_0-0_0-0");
	recovery_read(&again, auth);
	assert_string_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(auth, "since"), 0)->valuestring,
			    "call:9-9");
	cJSON_Delete(auth);
	assert_null(strstr(first.pid, first.sid)); /* who sees the one does not know the other */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_a_poll_holds_packets),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_recovery),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
