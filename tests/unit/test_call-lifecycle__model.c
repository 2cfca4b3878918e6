/* What the recorded sessions do not have: short stories, told as events. */
#include "model.h"

#include "json.h"
#include "mem.h"
#include "model_check.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct model_settings settings = {
	.pbx = "main", .pbx_down_ms = 60000, .calls_max = 100};

struct story {
	struct model *model;
	int64_t t;
	cJSON *ended, *live, *current; /* calls by id, as they would be kept */
	char told[4096];               /* types of call events, in order */
	char agents[4096];             /* "extension:state " */
	char orphans[256];
};

static void on_field(const char *name, const char *value, size_t len, void *context)
{
	struct story *story = context;
	const char *error;

	if ((value[0] == '[' || value[0] == '{') && strcmp(name, "model") != 0)
		cJSON_AddItemToObject(story->current, name, json_parse(value, len, &error));
	else
		cJSON_AddStringToObject(story->current, name, value);
}

static void append(char *out, size_t size, const char *text)
{
	size_t used = strlen(out);

	snprintf(out + used, size - used, "%s ", text);
}

static void take_events(struct story *story, const struct model_effects *effects)
{
	for (size_t i = 0; i < effects->event_count; i++) {
		const char *error;
		cJSON *event = json_parse(effects->text.data + effects->events[i].offset,
					  effects->events[i].len, &error);

		assert_non_null(event);
		if (effects->events[i].topic == MODEL_TOPIC_CALL)
			append(story->told, sizeof(story->told),
			       json_get_str(event, "eventType") + 5);
		cJSON_Delete(event);
	}
}

static void take(struct story *story)
{
	const struct model_effects *effects = model_effects(story->model);

	take_events(story, effects);
	for (size_t i = 0; i < effects->agent_count; i++) {
		append(story->agents, sizeof(story->agents),
		       model_agent_extension(effects->agents[i]));
		append(story->agents, sizeof(story->agents), model_agent_state(effects->agents[i]));
	}
	for (size_t i = 0; i < effects->order_count; i++)
		append(story->orphans, sizeof(story->orphans), effects->orders[i].channel);
	for (size_t i = 0; i < effects->call_count; i++) {
		const struct call *call = effects->calls[i];
		const char *id = model_call_id(call);

		story->current = cJSON_CreateObject();
		model_call_fields(story->model, call, on_field, story);
		cJSON_DeleteItemFromObjectCaseSensitive(story->live, id);
		assert_null(cJSON_GetObjectItemCaseSensitive(story->ended, id));
		cJSON_AddItemToObject(model_call_ended(call) ? story->ended : story->live, id,
				      story->current);
	}
	model_clear_effects(story->model);
}

/* "Event Key=value Key=value ..."; U=1 stands for Uniqueid=u1 with the name that was given to it.
 */
static void write_word(struct json_writer *writer, char *word)
{
	char *value = strchr(word, '=');
	static const struct {
		const char *brief, *prefix;
	} channels[] = {{"C", ""},           {"D", "Dest"},      {"1", "LocalOne"},
			{"2", "LocalTwo"},   {"P", "Parkee"},    {"R", "Retriever"},
			{"T", "Transferer"}, {"W", "Transferee"}};
	char key[64], id[64];

	assert_non_null(value);
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
		if (strcmp(word, channels[i].brief) != 0)
			continue;
		/* C=PJSIP/1001-1: the uniqueid is the name again */
		snprintf(key, sizeof(key), "%sChannel", channels[i].prefix);
		json_field_str(writer, key, value);
		snprintf(key, sizeof(key), "%sUniqueid", channels[i].prefix);
		snprintf(id, sizeof(id), "u-%s", strrchr(value, '-') + 1);
		json_field_str(writer, key, id);
		return;
	}
	json_field_str(writer, word, value);
}

static void tell(struct story *story, int64_t after_ms, const char *line)
{
	struct buffer text = {0}, faults = {0};
	struct json_writer writer = json_writer_init(&text);
	char *copy = mem_strdup(line), *rest = copy;
	char *word = strsep(&rest, " ");

	story->t += after_ms;
	json_begin_object(&writer);
	json_field_int(&writer, "t", story->t);
	json_field_int(&writer, "n", 1);
	json_field_str(&writer, "Event", word);
	while ((word = strsep(&rest, " ")) != NULL)
		write_word(&writer, word);
	json_end_object(&writer);
	model_apply(story->model, buffer_str(&text), text.len);
	if (model_check(story->model, &faults) > 0)
		fail_msg("%s: %s", line, buffer_str(&faults));
	take(story);
	buffer_free(&text);
	buffer_free(&faults);
	free(copy);
}

/* Hangups have everything in Asterisk's order. */
static void hang_up(struct story *story, int64_t after_ms, const char *channel, const char *cause)
{
	char line[300];

	snprintf(
		line, sizeof(line),
		"Hangup Channel=%s ChannelState=6 CallerIDNum=1 Exten=h Uniqueid=u-%s Linkedid=u-x "
		"Cause=%s",
		channel, strrchr(channel, '-') + 1, cause);
	tell(story, after_ms, line);
}

static int setup(void **state)
{
	struct story *story = mem_new(struct story);

	story->model = model_new(&settings);
	story->t = 1700000000000;
	story->ended = cJSON_CreateObject();
	story->live = cJSON_CreateObject();
	*state = story;
	return 0;
}

static int teardown(void **state)
{
	struct story *story = *state;

	model_free(&story->model);
	cJSON_Delete(story->ended);
	cJSON_Delete(story->live);
	free(story);
	return 0;
}

static const cJSON *call_of(struct story *story, const char *id)
{
	const cJSON *call = cJSON_GetObjectItemCaseSensitive(story->ended, id);

	return call != NULL ? call : cJSON_GetObjectItemCaseSensitive(story->live, id);
}

static void expect_segments(struct story *story, const char *id, const char *expected)
{
	char got[1000] = "";
	const cJSON *segment;

	cJSON_ArrayForEach(segment, cJSON_GetObjectItem(call_of(story, id), "segments"))
	{
		char line[200];
		const char *result = json_get_str(segment, "result");

		snprintf(line, sizeof(line), "%s %s>%s %s %lld;", json_get_str(segment, "kind"),
			 json_get_str(segment, "from"), json_get_str(segment, "to"),
			 result != NULL ? result : "-",
			 (long long)json_get_int(segment, "talkMs", -1));
		append(got, sizeof(got), line);
	}
	assert_string_equal(got, expected);
}

static void expect_field(struct story *story, const char *id, const char *field,
			 const char *expected)
{
	assert_string_equal(json_get_str(call_of(story, id), field), expected);
}

/* ---- beginnings that many stories share ---- */

static void begin(struct story *story)
{
	tell(story, 0,
	     "Newchannel C=PJSIP/1001-a ChannelState=4 CallerIDNum=1001 Exten=1002 Linkedid=u-a");
}

static void dial(struct story *story, int64_t after_ms, const char *from, const char *to)
{
	char line[300];

	snprintf(line, sizeof(line), "Newchannel C=%s ChannelState=0 Linkedid=u-a", to);
	tell(story, after_ms, line);
	snprintf(line, sizeof(line), "DialBegin C=%s D=%s Linkedid=u-a DestChannelState=0", from,
		 to);
	tell(story, 1, line);
	snprintf(line, sizeof(line), "DialState D=%s DialStatus=RINGING", to);
	tell(story, 1, line);
}

static void join(struct story *story, int64_t after_ms, const char *a, const char *b,
		 const char *bridge)
{
	char line[300];

	snprintf(line, sizeof(line), "BridgeEnter C=%s ChannelState=6 BridgeUniqueid=%s", a,
		 bridge);
	tell(story, after_ms, line);
	snprintf(line, sizeof(line), "BridgeEnter C=%s ChannelState=6 BridgeUniqueid=%s", b,
		 bridge);
	tell(story, 0, line);
}

static void leave(struct story *story, int64_t after_ms, const char *channel, const char *bridge)
{
	char line[300];

	snprintf(line, sizeof(line), "BridgeLeave C=%s ChannelState=6 BridgeUniqueid=%s", channel,
		 bridge);
	tell(story, after_ms, line);
}

static void begin_talk(struct story *story)
{
	begin(story);
	dial(story, 1, "PJSIP/1001-a", "PJSIP/1002-b");
	tell(story, 1000, "DialEnd C=PJSIP/1001-a D=PJSIP/1002-b DialStatus=ANSWER");
	join(story, 0, "PJSIP/1002-b", "PJSIP/1001-a", "br1");
}

static void end_all(struct story *story)
{
	hang_up(story, 0, "PJSIP/1002-b", "16");
	hang_up(story, 0, "PJSIP/1001-a", "16");
}

/* ---- the stories ---- */

static void test_two_phones_ring_and_one_answers(void **state)
{
	struct story *story = *state;

	begin(story);
	dial(story, 1, "PJSIP/1001-a", "PJSIP/1002-b");
	dial(story, 1, "PJSIP/1001-a", "PJSIP/1003-c");
	tell(story, 2000, "DialEnd C=PJSIP/1001-a D=PJSIP/1003-c DialStatus=ANSWER");
	tell(story, 0, "DialEnd C=PJSIP/1001-a D=PJSIP/1002-b DialStatus=CANCEL");
	hang_up(story, 0, "PJSIP/1002-b", "26");
	join(story, 0, "PJSIP/1003-c", "PJSIP/1001-a", "br1");
	leave(story, 3000, "PJSIP/1001-a", "br1");
	hang_up(story, 0, "PJSIP/1001-a", "16");
	hang_up(story, 0, "PJSIP/1003-c", "16");
	expect_segments(story, "u-a", "dial 1001>1002 no_answer 0; dial 1001>1003 answered 3000; ");
	assert_string_equal(story->told, "dialing ringing ringing established ended ");
	expect_field(story, "u-a", "result", "answered");
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(call_of(story, "u-a"), "transfers")), 0);
}

static void test_one_after_another(void **state)
{
	struct story *story = *state;

	begin(story);
	dial(story, 1, "PJSIP/1001-a", "PJSIP/1002-b");
	tell(story, 5000, "DialEnd C=PJSIP/1001-a D=PJSIP/1002-b DialStatus=NOANSWER");
	hang_up(story, 0, "PJSIP/1002-b", "0");
	dial(story, 1, "PJSIP/1001-a", "PJSIP/1003-c");
	tell(story, 1000, "HangupRequest C=PJSIP/1003-c Cause=17");
	tell(story, 0, "DialEnd C=PJSIP/1001-a D=PJSIP/1003-c DialStatus=BUSY");
	hang_up(story, 0, "PJSIP/1003-c", "17");
	hang_up(story, 0, "PJSIP/1001-a", "17");
	expect_segments(story, "u-a", "dial 1001>1002 no_answer 0; dial 1001>1003 busy 0; ");
	expect_field(story, "u-a", "result", "busy");
}

static void test_our_hold(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	leave(story, 2000, "PJSIP/1001-a", "br1");
	leave(story, 0, "PJSIP/1002-b", "br1");
	tell(story, 5,
	     "UserEvent C=PJSIP/1002-b UserEvent=MaydayHold Role=agent Context=mayday-hold");
	tell(story, 0,
	     "UserEvent C=PJSIP/1001-a UserEvent=MaydayHold Role=customer Context=mayday-hold");
	expect_field(story, "u-a", "state", "held");
	expect_field(story, "u-a", "heldBy", "1002");
	tell(story, 5000, "Newstate C=PJSIP/1001-a ChannelState=6 Context=mayday-hold");
	expect_field(story, "u-a", "state", "held");
	join(story, 0, "PJSIP/1001-a", "PJSIP/1002-b", "br2");
	expect_field(story, "u-a", "state", "established");
	expect_field(story, "u-a", "holdMs", "5000");
	leave(story, 1000, "PJSIP/1001-a", "br2");
	end_all(story);
	expect_segments(story, "u-a", "dial 1001>1002 answered 3000; ");
	assert_string_equal(story->told, "dialing ringing established held unheld ended ");
	assert_string_equal(story->orphans, "");
}

static void test_the_agent_leaves_a_held_call(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	leave(story, 2000, "PJSIP/1001-a", "br1");
	leave(story, 0, "PJSIP/1002-b", "br1");
	tell(story, 0, "UserEvent C=PJSIP/1002-b UserEvent=MaydayHold Role=agent");
	tell(story, 0, "UserEvent C=PJSIP/1001-a UserEvent=MaydayHold Role=customer");
	hang_up(story, 1000, "PJSIP/1002-b", "16");
	assert_string_equal(story->orphans, "PJSIP/1001-a ");
	hang_up(story, 10, "PJSIP/1001-a", "16");
	assert_string_equal(story->orphans, "PJSIP/1001-a ");
	assert_int_equal(model_live_calls(story->model), 0);
}

static void test_redirect_to_nobody(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	leave(story, 2000, "PJSIP/1002-b", "br1");
	leave(story, 0, "PJSIP/1001-a", "br1");
	hang_up(story, 0, "PJSIP/1001-a", "16");
	hang_up(story, 2, "PJSIP/1002-b", "20");
	expect_segments(story, "u-a", "dial 1001>1002 answered 2000; ");
	expect_field(story, "u-a", "result", "answered");
}

static void test_conference(void **state)
{
	struct story *story = *state;
	static const char enter[] =
		"BridgeEnter C=PJSIP/100%d-%c ChannelState=6 BridgeUniqueid=conf BridgeType=base "
		"BridgeCreator=ConfBridge Linkedid=u-%c";
	char line[300];

	for (int i = 1; i <= 3; i++) {
		char letter = (char)('a' + i - 1);

		snprintf(line, sizeof(line),
			 "Newchannel C=PJSIP/100%d-%c ChannelState=4 Exten=8000 Linkedid=u-%c", i,
			 letter, letter);
		tell(story, 0, line);
		snprintf(line, sizeof(line), enter, i, letter, letter);
		tell(story, 500, line);
	}
	for (int i = 1; i <= 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "PJSIP/100%d-%c", i, 'a' + i - 1);
		leave(story, 1000, name, "conf");
		hang_up(story, 0, name, "16");
	}
	assert_int_equal(cJSON_GetArraySize(story->ended), 3);
	expect_segments(story, "u-b", "conference 1002>8000 answered 0; ");
}

static void test_a_call_is_found_in_the_list(void **state)
{
	struct story *story = *state;

	tell(story, 0, "MaydayUp version=22");
	tell(story, 0, "MaydaySnapshotBegin id=s");
	tell(story, 0,
	     "CoreShowChannel C=PJSIP/1001-a ChannelState=6 CallerIDNum=1001 Exten=1002 "
	     "Linkedid=u-a BridgeId=br1 Duration=00:01:00");
	tell(story, 0,
	     "CoreShowChannel C=PJSIP/trunk-b ChannelState=6 CallerIDNum=79160000000 "
	     "Linkedid=u-a BridgeId=br1 Duration=00:00:55");
	tell(story, 0, "MaydaySnapshotEnd id=s channels=2");
	expect_field(story, "u-a", "state", "established");
	assert_false(model_is_stale(story->model));
	leave(story, 4000, "PJSIP/1001-a", "br1");
	hang_up(story, 0, "PJSIP/1001-a", "16");
	hang_up(story, 0, "PJSIP/trunk-b", "16");
	expect_segments(story, "u-a", "dial 1001>79160000000 answered 4000; ");
	expect_field(story, "u-a", "durationMs", "64000");
}

/* Only that they hung up is seen, and that they were up then. */
static void test_answered_and_over_before_the_list(void **state)
{
	struct story *story = *state;

	begin(story);
	dial(story, 1, "PJSIP/1001-a", "PJSIP/1002-b");
	tell(story, 0, "MaydayDown reason=x");
	tell(story, 4000, "MaydayUp version=22");
	hang_up(story, 1000, "PJSIP/1002-b", "16");
	hang_up(story, 0, "PJSIP/1001-a", "16");
	expect_field(story, "u-a", "result", "answered");
	expect_segments(story, "u-a", "dial 1001>1002 answered 0; ");
}

/* The one that answered is not in the list any more, the caller still is, and up. */
static void test_answered_and_left_before_the_list(void **state)
{
	struct story *story = *state;

	begin(story);
	dial(story, 1, "PJSIP/1001-a", "PJSIP/1002-b");
	tell(story, 0, "MaydayDown reason=x");
	tell(story, 4000, "MaydayUp version=22");
	tell(story, 0, "MaydaySnapshotBegin id=s");
	tell(story, 0, "CoreShowChannel C=PJSIP/1001-a ChannelState=6 Linkedid=u-a");
	tell(story, 0, "MaydaySnapshotEnd id=s channels=1");
	hang_up(story, 500, "PJSIP/1001-a", "16");
	expect_field(story, "u-a", "result", "answered");
	expect_segments(story, "u-a", "dial 1001>1002 answered 0; ");
}

static void test_what_hung_up_is_not_brought_back_by_a_list(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	tell(story, 0, "MaydaySnapshotBegin id=s");
	leave(story, 0, "PJSIP/1001-a", "br1");
	end_all(story);
	tell(story, 0, "CoreShowChannel C=PJSIP/1001-a ChannelState=6 Linkedid=u-a BridgeId=br1");
	tell(story, 0, "MaydaySnapshotEnd id=s channels=1");
	assert_int_equal(model_live_calls(story->model), 0);
	assert_int_equal(model_live_channels(story->model), 0);
}

static void test_a_list_that_was_not_finished_proves_nothing(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	tell(story, 0, "MaydaySnapshotBegin id=s1");
	tell(story, 0, "MaydayDown reason=x");
	tell(story, 0, "MaydaySnapshotEnd id=s1 channels=0");
	assert_int_equal(model_live_calls(story->model), 1);
	assert_true(model_is_stale(story->model));
	end_all(story);
}

static void test_the_linkedid_of_a_call_that_ended(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	tell(story, 0, "MaydayDown reason=x");
	model_tick(story->model, story->t + 60000);
	take(story);
	assert_int_equal(cJSON_GetArraySize(story->ended), 1);
	assert_string_equal(
		json_get_str(cJSON_GetObjectItem(call_of(story, "u-a"), "hangup"), "reason"),
		"pbx_down");
	tell(story, 70000, "Newchannel C=PJSIP/1003-c ChannelState=0 Linkedid=u-a");
	assert_int_equal(model_live_calls(story->model), 1);
	hang_up(story, 0, "PJSIP/1003-c", "16");
	assert_int_equal(cJSON_GetArraySize(story->ended), 2);
}

/* The call that absorbed another one goes on under that one's linkedid too. */
static void test_the_linkedid_of_a_call_that_was_absorbed(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	tell(story, 0, "Newchannel C=PJSIP/1003-c ChannelState=4 Exten=701 Linkedid=u-c");
	leave(story, 1000, "PJSIP/1002-b", "br1");
	join(story, 0, "PJSIP/1003-c", "PJSIP/1001-a", "br1");
	assert_int_equal(model_live_calls(story->model), 1);
	expect_field(story, "u-c", "mergedInto", "u-a");
	/* Its own linkedid is still u-c when it is sent elsewhere. */
	tell(story, 1000, "Newchannel C=PJSIP/1004-d ChannelState=0 Linkedid=u-c");
	assert_int_equal(model_live_calls(story->model), 1);
	hang_up(story, 0, "PJSIP/1004-d", "16");
	hang_up(story, 0, "PJSIP/1003-c", "16");
	end_all(story);
	assert_int_equal(model_live_calls(story->model), 0);
	assert_int_equal(cJSON_GetArraySize(story->ended), 2);
}

/* Given up while nobody saw; the next list has it after all. It is told as another call. */
static void test_a_call_that_was_given_up_comes_back(void **state)
{
	struct story *story = *state;
	char *kept;

	begin_talk(story);
	tell(story, 0, "MaydayDown reason=x");
	model_tick(story->model, story->t + 60000);
	take(story);
	kept = model_save(story->model);
	model_free(&story->model);
	story->model = model_new(&settings);
	assert_int_equal(model_load(story->model, kept, strlen(kept)), 0);
	model_load_done(story->model);
	free(kept);
	tell(story, 70000, "MaydayUp version=22");
	tell(story, 0, "MaydaySnapshotBegin id=s");
	tell(story, 0,
	     "CoreShowChannel C=PJSIP/1001-a ChannelState=6 CallerIDNum=1001 Exten=1002 "
	     "Linkedid=u-a BridgeId=br1 Duration=00:02:00");
	tell(story, 0,
	     "CoreShowChannel C=PJSIP/1002-b ChannelState=6 Linkedid=u-a BridgeId=br1 "
	     "Duration=00:02:00");
	tell(story, 0, "MaydaySnapshotEnd id=s channels=2");
	assert_int_equal(model_live_calls(story->model), 1);
	assert_null(cJSON_GetObjectItem(story->live, "u-a"));
	end_all(story);
	assert_int_equal(cJSON_GetArraySize(story->ended), 2);
}

static void record(struct story *story, const char *id, const char *channel)
{
	char text[400];

	snprintf(text, sizeof(text),
		 "{\"t\":%lld,\"n\":1,\"Event\":\"MaydayDone\",\"callId\":\"u-a\",\"actionId\":"
		 "\"a\","
		 "\"action\":\"MixMonitor\",\"data\":{\"recordingId\":\"%s\",\"uniqueid\":\"%s\","
		 "\"by\":\"u-1\"}}",
		 (long long)story->t, id, channel);
	model_apply(story->model, text, strlen(text));
	take(story);
}

static void expect_recordings(struct story *story, const char *id, const char *expected)
{
	char got[400] = "";
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItem(call_of(story, id), "recordings"))
	{
		append(got, sizeof(got), json_get_str(item, "recordingId"));
		append(got, sizeof(got), json_get_str(item, "state"));
	}
	assert_string_equal(got, expected);
}

static void test_a_recording_goes_on_with_who_is_left(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	record(story, "1-ab", "u-b");
	expect_recordings(story, "u-a", "1-ab recording ");
	tell(story, 1000, "Newchannel C=PJSIP/1003-c ChannelState=0 Linkedid=u-a");
	leave(story, 0, "PJSIP/1002-b", "br1");
	hang_up(story, 0, "PJSIP/1002-b", "16");
	expect_recordings(story, "u-a", "1-ab ended ");
	join(story, 500, "PJSIP/1003-c", "PJSIP/1001-a", "br1");
	assert_string_equal(story->orphans, "PJSIP/1001-a "); /* is to be recorded, once */
	record(story, "1-ab.2", "u-a");
	expect_recordings(story, "u-a", "1-ab ended 1-ab.2 recording ");
	tell(story, 1000, "MixMonitorStop C=PJSIP/1001-a ChannelState=6 Linkedid=u-a");
	expect_recordings(story, "u-a", "1-ab ended 1-ab.2 ended ");
	hang_up(story, 0, "PJSIP/1001-a", "16");
	hang_up(story, 0, "PJSIP/1003-c", "16");
	assert_string_equal(story->orphans, "PJSIP/1001-a ");
}

/* What the channel hears would be missing otherwise: see model_recording.c. */
static void test_a_recording_is_begun_again_for_another_partner(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	record(story, "1-ab", "u-a");
	tell(story, 1000, "Newchannel C=PJSIP/1003-c ChannelState=0 Linkedid=u-a");
	leave(story, 0, "PJSIP/1002-b", "br1");
	hang_up(story, 0, "PJSIP/1002-b", "16");
	assert_string_equal(story->orphans, ""); /* it may be the end of the call */
	join(story, 500, "PJSIP/1003-c", "PJSIP/1001-a", "br1");
	assert_string_equal(story->orphans, "PJSIP/1001-a "); /* to be stopped, and said so */
	tell(story, 5, "MixMonitorStop C=PJSIP/1001-a ChannelState=6 Linkedid=u-a");
	model_tick(story->model, story->t + 99);
	take(story);
	assert_string_equal(story->orphans, "PJSIP/1001-a ");
	expect_recordings(story, "u-a", "1-ab recording ");
	model_tick(story->model, story->t + 100);
	take(story);
	assert_string_equal(story->orphans, "PJSIP/1001-a PJSIP/1001-a "); /* to be gone on with */
	record(story, "1-ab", "u-a");
	expect_recordings(story, "u-a", "1-ab recording ");
	hang_up(story, 1000, "PJSIP/1003-c", "16");
	hang_up(story, 0, "PJSIP/1001-a", "16");
	expect_recordings(story, "u-a", "1-ab ended ");
	assert_string_equal(story->orphans, "PJSIP/1001-a PJSIP/1001-a ");
}

/* What was paused must not be heard, whoever leaves. */
static void test_a_paused_recording_waits(void **state)
{
	struct story *story = *state;

	begin_talk(story);
	record(story, "1-ab", "u-b");
	tell(story, 1000, "MixMonitorMute C=PJSIP/1002-b ChannelState=6 Linkedid=u-a State=1");
	tell(story, 0, "Newchannel C=PJSIP/1003-c ChannelState=0 Linkedid=u-a");
	leave(story, 0, "PJSIP/1002-b", "br1");
	hang_up(story, 0, "PJSIP/1002-b", "16");
	join(story, 500, "PJSIP/1003-c", "PJSIP/1001-a", "br1");
	expect_recordings(story, "u-a", "1-ab paused ");
	assert_string_equal(story->orphans, "");
	record(story, "1-ab.2", "u-a");
	expect_recordings(story, "u-a", "1-ab ended 1-ab.2 recording ");
	hang_up(story, 0, "PJSIP/1001-a", "16");
	hang_up(story, 0, "PJSIP/1003-c", "16");
	expect_recordings(story, "u-a", "1-ab ended 1-ab.2 ended ");
	assert_string_equal(story->orphans, "");
}

static void test_hangups_that_nobody_believes(void **state)
{
	struct story *story = *state;
	static const char *const forged[] = {
		"Hangup Channel=PJSIP/1001-a ChannelState=6 CallerIDNum=1 Exten=h Uniqueid=u-b "
		"Linkedid=u-a Cause=16",
		"Hangup Channel=PJSIP/1001-a Uniqueid=u-a Linkedid=u-a Cause=16",
		"Hangup Channel=PJSIP/1001-a Uniqueid=u-a Linkedid=u-a Cause=16 ChannelState=6 "
		"CallerIDNum=1 Exten=h",
		"Hangup Channel=PJSIP/1001-a ChannelState=6 CallerIDNum=1 Exten=h Uniqueid=u-a "
		"Cause=16",
		"Hangup Channel=PJSIP/1001-a ChannelState=6",
		"Hangup Channel=PJSIP/1009-x ChannelState=6 CallerIDNum=1 Exten=h Uniqueid=u-x "
		"Linkedid=u-x Cause=16",
	};

	begin_talk(story);
	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
		tell(story, 1, forged[i]);
	assert_int_equal(model_live_channels(story->model), 2);
	assert_true(model_counters(story->model)->forged >= 5);
	/* One was torn: the device itself says that it is true. */
	tell(story, 1, "DeviceStateChange Device=PJSIP/1002 State=NOT_INUSE");
	assert_int_equal(model_live_channels(story->model), 2);
	tell(story, 1, "DeviceStateChange Device=PJSIP/1001 State=NOT_INUSE");
	assert_int_equal(model_live_channels(story->model), 1);
	hang_up(story, 1, "PJSIP/1002-b", "16");
	assert_int_equal(model_live_calls(story->model), 0);
}

static void test_the_phone_never_rang(void **state)
{
	struct story *story = *state;
	static const char asked[] =
		"{\"t\":1700000000000,\"n\":1,\"Event\":\"MaydayOriginate\",\"callId\":\"c-1\","
		"\"actionId\":\"a-1\",\"fields\":[],\"data\":{\"from\":\"1001\",\"to\":\"1002\"}}";

	model_apply(story->model, asked, sizeof(asked) - 1);
	take(story);
	expect_field(story, "c-1", "state", "originating");
	/* Asterisk's own ActionID is not ours, and there is no channel to name. */
	tell(story, 5,
	     "OriginateResponse Response=Failure Channel=PJSIP/1001 Exten=1002 Reason=0 "
	     "Uniqueid=<unknown>");
	expect_field(story, "c-1", "result", "unreachable");
	assert_string_equal(story->told, "originating ended ");
}

static void test_an_originate_that_is_never_heard_of(void **state)
{
	struct story *story = *state;
	static const char asked[] =
		"{\"t\":1700000000000,\"n\":1,\"Event\":\"MaydayOriginate\",\"callId\":\"c-1\","
		"\"actionId\":\"a-1\",\"fields\":[],\"data\":{\"from\":\"1001\",\"to\":\"1002\","
		"\"timeoutMs\":10000}}";

	model_apply(story->model, asked, sizeof(asked) - 1);
	take(story);
	model_tick(story->model, story->t + 24999);
	assert_int_equal(model_live_calls(story->model), 1);
	model_tick(story->model, story->t + 25000);
	take(story);
	expect_field(story, "c-1", "result", "failed");
}

static void test_agents(void **state)
{
	struct story *story = *state;

	tell(story, 0, "DeviceStateChange Device=PJSIP/1001 State=NOT_INUSE");
	tell(story, 0, "DeviceStateChange Device=PJSIP/1001 State=NOT_INUSE");
	tell(story, 0, "DeviceStateChange Device=PJSIP/trunk State=INUSE");
	assert_string_equal(story->agents, "1001 available ");
	story->agents[0] = '\0';
	begin(story);
	tell(story, 0, "DeviceStateChange Device=PJSIP/1001 State=INUSE");
	assert_string_equal(story->agents, "1001 available 1001 busy ");
	/* A second line: when the first ends, the other is its call. */
	tell(story, 0, "Newchannel C=PJSIP/1001-z ChannelState=4 Exten=1003 Linkedid=u-z");
	story->agents[0] = '\0';
	hang_up(story, 1, "PJSIP/1001-z", "16");
	assert_string_equal(story->agents, "1001 busy ");
	hang_up(story, 1, "PJSIP/1001-a", "16");
	tell(story, 0, "DeviceStateChange Device=PJSIP/1001 State=UNAVAILABLE");
	assert_string_equal(story->agents, "1001 busy 1001 busy 1001 offline ");
}

static void test_more_calls_than_may_be(void **state)
{
	struct story *story = *state;
	char line[200];

	for (int i = 0; i < 150; i++) {
		snprintf(line, sizeof(line),
			 "Newchannel C=PJSIP/1001-%d ChannelState=4 Exten=1002 Linkedid=u-%d", i,
			 i);
		tell(story, 1, line);
	}
	assert_int_equal(model_live_calls(story->model), 100);
	assert_int_equal(model_counters(story->model)->overflow, 50);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_two_phones_ring_and_one_answers),
		TEST(test_one_after_another),
		TEST(test_our_hold),
		TEST(test_the_agent_leaves_a_held_call),
		TEST(test_redirect_to_nobody),
		TEST(test_conference),
		TEST(test_a_call_is_found_in_the_list),
		TEST(test_answered_and_over_before_the_list),
		TEST(test_answered_and_left_before_the_list),
		TEST(test_what_hung_up_is_not_brought_back_by_a_list),
		TEST(test_a_list_that_was_not_finished_proves_nothing),
		TEST(test_the_linkedid_of_a_call_that_ended),
		TEST(test_the_linkedid_of_a_call_that_was_absorbed),
		TEST(test_a_call_that_was_given_up_comes_back),
		TEST(test_a_recording_goes_on_with_who_is_left),
		TEST(test_a_recording_is_begun_again_for_another_partner),
		TEST(test_a_paused_recording_waits),
		TEST(test_hangups_that_nobody_believes),
		TEST(test_the_phone_never_rang),
		TEST(test_an_originate_that_is_never_heard_of),
		TEST(test_agents),
		TEST(test_more_calls_than_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
