#include "backlog.h"
#include "rooms.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct event *make_event(enum topic topic, uint64_t ms, const char *envelope)
{
	const char *error = NULL;
	struct event *event =
		event_new(topic, (struct entry_id){ms, 0}, envelope, strlen(envelope), &error);

	if (event == NULL)
		fail_msg("%s: %s", envelope, error);
	return event;
}

/* ---- events ---- */

static void test_the_frame_holds_the_envelope_as_it_is(void **state)
{
	const char *envelope = "{ \"eventType\":\"call:ringing\" , \"extension\": \"1001\","
			       "\"extensions\":[\"1001\",\"1002\",\"\",5,"
			       "\"123456789012345678901234567890123\"]}";
	struct event *event = make_event(TOPIC_CALL, 1718, envelope);
	char expected[512];

	(void)state;
	snprintf(expected, sizeof(expected),
		 "{\"type\":\"event\",\"cursor\":\"call:1718-0\",\"event\":%s}", envelope);
	assert_memory_equal(event->frames[EVENT_JSON]->data + 4, expected, strlen(expected));
	assert_int_equal(event->frames[EVENT_JSON]->len, 4 + strlen(expected));
	assert_int_equal(event->room_count, 2);
	assert_string_equal(event->rooms[1], "1002");
	assert_int_equal(event->frames[EVENT_JSON]->key, 0);
	event_unref(&event);
}

static void test_what_is_no_event(void **state)
{
	const char *error;

	(void)state;
	assert_null(event_new(TOPIC_CALL, (struct entry_id){1, 0}, "{}", 2, &error));
	assert_string_equal(error, "eventType is missing");
	assert_null(event_new(TOPIC_CALL, (struct entry_id){1, 0}, "{", 1, &error));
	assert_null(event_new(TOPIC_CALL, (struct entry_id){1, 0}, "\xff", 1, &error));
	assert_null(event_new(TOPIC_CALL, (struct entry_id){1, 0}, "", 0, &error));
}

static uint64_t key_of(enum topic topic, const char *redis_key)
{
	char envelope[128];

	snprintf(envelope, sizeof(envelope), "{\"eventType\":\"x:y\",\"redisKey\":\"%s\"}",
		 redis_key);
	struct event *event = make_event(topic, 1, envelope);
	uint64_t key = event->frames[EVENT_JSON]->key;
	event_unref(&event);
	return key;
}

static void test_keys_of_coalescing(void **state)
{
	(void)state;
	assert_true(key_of(TOPIC_CALL, "call:1") == key_of(TOPIC_CALL, "call:1"));
	assert_true(key_of(TOPIC_CALL, "call:1") != key_of(TOPIC_CALL, "call:2"));
	assert_true(key_of(TOPIC_CALL, "call:1") != key_of(TOPIC_TRANSFER, "call:1"));
	assert_true(key_of(TOPIC_SESSION, "session:1") == 0);
}

static void test_revoked_sessions(void **state)
{
	struct event *named =
		make_event(TOPIC_SESSION, 1,
			   "{\"eventType\":\"session:revoked\",\"data\":{\"sessionId\":\"s1\"}}");
	struct event *keyed =
		make_event(TOPIC_SESSION, 1,
			   "{\"eventType\":\"session:revoked\",\"redisKey\":\"session:s2\"}");
	struct event *created =
		make_event(TOPIC_SESSION, 1,
			   "{\"eventType\":\"session:created\",\"data\":{\"sessionId\":\"s1\"}}");
	struct event *forged =
		make_event(TOPIC_AMI, 1,
			   "{\"eventType\":\"session:revoked\",\"data\":{\"sessionId\":\"s1\"}}");

	(void)state;
	assert_string_equal(named->revoked_session, "s1");
	assert_string_equal(keyed->revoked_session, "s2");
	assert_null(created->revoked_session);
	assert_null(forged->revoked_session);
	event_unref(&named);
	event_unref(&keyed);
	event_unref(&created);
	event_unref(&forged);
}

/* ---- rooms ---- */

struct visitor {
	struct occupant occupant;
	unsigned calls;
};

static void count_call(struct occupant *occupant, struct event *event, void *context)
{
	(void)event;
	(void)context;
	((struct visitor *)occupant)->calls++;
}

static unsigned calls(struct rooms *rooms, struct visitor *visitor, enum topic topic,
		      const char *envelope)
{
	struct event *event = make_event(topic, 1, envelope);

	visitor->calls = 0;
	rooms_each(rooms, event, count_call, NULL);
	assert_int_equal(visitor->calls, rooms_match(&visitor->occupant, event));
	event_unref(&event);
	return visitor->calls;
}

#define ABOUT_1      "{\"eventType\":\"x:y\",\"extension\":\"1001\"}"
#define ABOUT_2      "{\"eventType\":\"x:y\",\"extension\":\"1002\"}"
#define ABOUT_BOTH   "{\"eventType\":\"x:y\",\"extensions\":[\"1001\",\"1002\"]}"
#define ABOUT_NOBODY "{\"eventType\":\"x:y\"}"

static void test_rooms_of_extensions(void **state)
{
	struct rooms *rooms = rooms_new();
	struct visitor visitor = {0}, other = {0};

	(void)state;
	rooms_enter(rooms, &visitor.occupant, "1001", topic_bit(TOPIC_CALL));
	rooms_enter(rooms, &visitor.occupant, "1002", topic_bit(TOPIC_AGENT));
	rooms_enter(rooms, &other.occupant, "1001", TOPIC_ALL);
	assert_int_equal(calls(rooms, &visitor, TOPIC_CALL, ABOUT_1), 1);
	assert_int_equal(calls(rooms, &visitor, TOPIC_CALL, ABOUT_2), 0);
	assert_int_equal(calls(rooms, &visitor, TOPIC_AGENT, ABOUT_BOTH), 1);
	rooms_enter(rooms, &visitor.occupant, "1002", topic_bit(TOPIC_CALL));
	assert_int_equal(calls(rooms, &visitor, TOPIC_CALL, ABOUT_BOTH), 1);
	assert_int_equal(calls(rooms, &visitor, TOPIC_CALL, ABOUT_NOBODY), 0);
	rooms_leave(rooms, &visitor.occupant, "1001", topic_bit(TOPIC_CALL));
	assert_int_equal(calls(rooms, &visitor, TOPIC_CALL, ABOUT_1), 0);
	assert_int_equal(calls(rooms, &other, TOPIC_CALL, ABOUT_1), 1);
	assert_int_equal(occupant_rooms(&visitor.occupant), 1);
	rooms_leave_topics(rooms, &visitor.occupant, TOPIC_ALL);
	rooms_leave_topics(rooms, &other.occupant, TOPIC_ALL);
	assert_null(visitor.occupant.seats);
	rooms_free(&rooms);
}

static void test_the_room_of_everything(void **state)
{
	struct rooms *rooms = rooms_new();
	struct visitor visitor = {0};

	(void)state;
	rooms_enter(rooms, &visitor.occupant, ROOM_EVERYTHING, topic_bit(TOPIC_CALL));
	rooms_enter(rooms, &visitor.occupant, "1001", topic_bit(TOPIC_CALL));
	assert_int_equal(calls(rooms, &visitor, TOPIC_CALL, ABOUT_NOBODY), 1);
	assert_int_equal(calls(rooms, &visitor, TOPIC_CALL, ABOUT_1), 1);
	assert_int_equal(calls(rooms, &visitor, TOPIC_QUEUE, ABOUT_1), 0);
	assert_int_equal(occupant_topics(&visitor.occupant), topic_bit(TOPIC_CALL));
	rooms_leave_topics(rooms, &visitor.occupant, TOPIC_ALL);
	rooms_free(&rooms);
}

static void test_many_come_and_go(void **state)
{
	enum {
		COUNT = 500
	};
	struct rooms *rooms = rooms_new();
	struct visitor *visitors = calloc(COUNT, sizeof(*visitors));
	char extension[16];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		snprintf(extension, sizeof(extension), "%d", 1001 + i % 50);
		rooms_enter(rooms, &visitors[i].occupant, extension, TOPIC_ALL);
	}
	struct event *event = make_event(TOPIC_CALL, 1, ABOUT_1);
	for (int i = 0; i < COUNT; i += 2)
		rooms_leave_topics(rooms, &visitors[i].occupant, TOPIC_ALL);
	rooms_each(rooms, event, count_call, NULL);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(visitors[i].calls, 0); /* 1001 is of even ones */
	for (int i = 1; i < COUNT; i += 2)
		rooms_leave_topics(rooms, &visitors[i].occupant, TOPIC_ALL);
	event_unref(&event);
	free(visitors);
	rooms_free(&rooms);
}

/* ---- backlog ---- */

static void add(struct backlog *backlog, uint64_t ms)
{
	struct event *event = make_event(TOPIC_CALL, ms, ABOUT_1);

	backlog_add(backlog, event);
	event_unref(&event);
}

static uint64_t after(const struct backlog *backlog, uint64_t ms, uint64_t seq)
{
	struct event *event = backlog_after(backlog, (struct entry_id){ms, seq});

	return event != NULL ? event->id.ms : 0;
}

static void test_the_backlog_goes_on_after_an_id(void **state)
{
	struct backlog *backlog = backlog_new((struct entry_id){5, 0}, 1 << 20);

	(void)state;
	assert_int_equal(after(backlog, 5, 0), 0);
	backlog_skip(backlog, (struct entry_id){7, 0});
	assert_int_equal(backlog_floor(backlog).ms, 7);
	for (uint64_t ms = 10; ms <= 100; ms += 10)
		add(backlog, ms);
	assert_int_equal(after(backlog, 7, 0), 10);
	assert_int_equal(after(backlog, 10, 0), 20);
	assert_int_equal(after(backlog, 10, 1), 20);
	assert_int_equal(after(backlog, 99, 9), 100);
	assert_int_equal(after(backlog, 100, 0), 0);
	backlog_skip(backlog, (struct entry_id){110, 0});
	assert_int_equal(backlog_tip(backlog).ms, 110);
	assert_int_equal(backlog_floor(backlog).ms, 7);
	backlog_free(&backlog);
}

static void test_the_backlog_is_bounded(void **state)
{
	struct backlog *small = backlog_new((struct entry_id){0, 0}, 1000);
	struct backlog *large = backlog_new((struct entry_id){0, 0}, 1 << 30);

	(void)state;
	for (uint64_t ms = 1; ms <= 10000; ms++) {
		add(small, ms);
		add(large, ms);
	}
	assert_int_equal(backlog_tip(small).ms, 10000);
	assert_true(backlog_floor(small).ms > 9980);
	assert_int_equal(after(small, backlog_floor(small).ms, 0), backlog_floor(small).ms + 1);
	assert_int_equal(backlog_floor(large).ms, 10000 - 4096);
	assert_int_equal(after(large, 9000, 0), 9001);
	backlog_free(&small);
	backlog_free(&large);
}

/* ---- cursors ---- */

static void test_cursors(void **state)
{
	static const char *const bad[] = {"",
					  "call",
					  "call:",
					  "call:-1",
					  "call:1-",
					  "call:1-x",
					  "moon:1",
					  ":1",
					  "call: 1",
					  "call:+1-0",
					  "call:1-0 ",
					  "call:1-2-3",
					  "call:18446744073709551616-0",
					  "callcallcallcallcall:1"};
	enum topic topic;
	struct entry_id id;
	char text[ENTRY_ID_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cursor_parse(bad[i], &topic, &id));
	assert_true(cursor_parse("queue:18446744073709551615-7", &topic, &id));
	assert_int_equal(topic, TOPIC_QUEUE);
	assert_string_equal(entry_id_format(id, text), "18446744073709551615-7");
	assert_true(cursor_parse("ami:5", &topic, &id));
	assert_true(id.ms == 5 && id.seq == 0);
	assert_true(entry_id_compare((struct entry_id){9, 1}, (struct entry_id){10, 0}) < 0);
	assert_true(entry_id_compare((struct entry_id){9, 10}, (struct entry_id){9, 9}) > 0);
	assert_true(entry_id_compare((struct entry_id){9, 9}, (struct entry_id){9, 9}) == 0);
}

/* ---- topics ---- */

static struct principal someone(enum role role, const char *extension)
{
	struct principal who = {.role = role, .permissions = role_permissions(role)};

	strcpy(who.extension, extension);
	return who;
}

static void test_who_sees_what(void **state)
{
	struct principal agent = someone(ROLE_AGENT, "1001"), bare = someone(ROLE_AGENT, "");
	struct principal manager = someone(ROLE_MANAGER, "");

	(void)state;
	assert_int_equal(topic_view(TOPIC_CALL, &agent), TOPIC_VIEW_OWN);
	assert_int_equal(topic_view(TOPIC_AMI, &agent), TOPIC_VIEW_NONE);
	assert_int_equal(topic_view(TOPIC_CALL, &bare), TOPIC_VIEW_NONE);
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++)
		assert_int_equal(topic_view(topic, &manager), TOPIC_VIEW_ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_frame_holds_the_envelope_as_it_is),
		cmocka_unit_test(test_what_is_no_event),
		cmocka_unit_test(test_keys_of_coalescing),
		cmocka_unit_test(test_revoked_sessions),
		cmocka_unit_test(test_rooms_of_extensions),
		cmocka_unit_test(test_the_room_of_everything),
		cmocka_unit_test(test_many_come_and_go),
		cmocka_unit_test(test_the_backlog_goes_on_after_an_id),
		cmocka_unit_test(test_the_backlog_is_bounded),
		cmocka_unit_test(test_cursors),
		cmocka_unit_test(test_who_sees_what),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
