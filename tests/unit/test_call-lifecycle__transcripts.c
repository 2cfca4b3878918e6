/* Every recorded session through the model, held against what the phones saw (truth.json): who,
   whom, with what result, and how long they talked; the same with the model thrown away and loaded
   again between entries. */
#include "model.h"
#include "model_check.h"
#include "transcript.h"
#include "unit.h"

#include <dirent.h>

#define TALK_TOLERANCE_MS 300

static const struct model_settings settings = {
	.pbx = "main", .pbx_down_ms = 60000, .calls_max = 10000};

struct run {
	struct model *model;
	cJSON *calls; /* those that ended, as they would be kept */
	cJSON *current;
	struct buffer events;
	int ended_events;
	/* What is kept of the live calls, by id. */
	cJSON *kept;
};

static void on_field(const char *name, const char *value, size_t len, void *context)
{
	struct run *run = context;
	const char *error;

	if ((value[0] == '[' || value[0] == '{') && strcmp(name, "model") != 0)
		cJSON_AddItemToObject(run->current, name, json_parse(value, len, &error));
	else
		cJSON_AddStringToObject(run->current, name, value);
}

static void keep(struct run *run, const struct call *call)
{
	const char *id = model_call_id(call);

	run->current = cJSON_CreateObject();
	model_call_fields(run->model, call, on_field, run);
	cJSON_DeleteItemFromObjectCaseSensitive(run->kept, id);
	cJSON_AddItemToObject(model_call_ended(call) ? run->calls : run->kept, id, run->current);
}

/* What a commit would do. */
static void take(struct run *run)
{
	const struct model_effects *effects = model_effects(run->model);

	for (size_t i = 0; i < effects->event_count; i++) {
		const char *text = effects->text.data + effects->events[i].offset;

		if (memmem(text, effects->events[i].len, "\"call:ended\"", 12) != NULL)
			run->ended_events++;
		if (effects->events[i].topic == MODEL_TOPIC_CALL) {
			buffer_append(&run->events, text, effects->events[i].len);
			buffer_append_char(&run->events, '\n');
		}
	}
	for (size_t i = 0; i < effects->call_count; i++)
		keep(run, effects->calls[i]);
	model_clear_effects(run->model);
}

/* The model is thrown away, as by kill -9, and made anew from what was kept. */
static void restart(struct run *run)
{
	char *state = model_save(run->model);
	const cJSON *call;

	model_free(&run->model);
	run->model = model_new(&settings);
	assert_int_equal(model_load(run->model, state, strlen(state)), 0);
	cJSON_ArrayForEach(call, run->kept)
	{
		const char *text = json_get_str(call, "model");

		assert_int_equal(model_load_call(run->model, text, strlen(text)), 0);
	}
	model_load_done(run->model);
	free(state);
}

static void run_transcript(struct run *run, const char *name, size_t restart_every)
{
	struct transcript transcript = transcript_load(name);
	struct buffer faults = {0};

	*run = (struct run){.model = model_new(&settings),
			    .calls = cJSON_CreateObject(),
			    .kept = cJSON_CreateObject()};
	if (transcript.count == 0)
		fail_msg("%s is empty", name);
	for (size_t i = 0; i < transcript.count; i++) {
		model_apply(run->model, transcript.entries[i], transcript.lens[i]);
		if (model_check(run->model, &faults) > 0)
			fail_msg("%s: entry %zu: %s", name, i, buffer_str(&faults));
		take(run);
		if (restart_every > 0 && i % restart_every == 0)
			restart(run);
	}
	assert_int_equal(model_live_calls(run->model), 0);
	assert_int_equal(model_live_channels(run->model), 0);
	assert_int_equal(run->ended_events, cJSON_GetArraySize(run->calls));
	transcript_free(&transcript);
	buffer_free(&faults);
}

static void run_free(struct run *run)
{
	model_free(&run->model);
	cJSON_Delete(run->calls);
	cJSON_Delete(run->kept);
	buffer_free(&run->events);
}

/* "queue 5000" is 5000, 1002 is "1002"; the sessions that forge tell only the beginning. */
static void truth_party(const cJSON *item, char *out, size_t size)
{
	const char *text = cJSON_IsString(item) ? item->valuestring : "";

	if (cJSON_IsNumber(item))
		snprintf(out, size, "%d", item->valueint);
	else
		snprintf(out, size, "%s", strncmp(text, "queue ", 6) == 0 ? text + 6 : text);
	if (out[0] == '\'') {
		memmove(out, out + 1, strlen(out));
		out[strcspn(out, "'%")] = '\0';
	}
}

/* The words of truth.json as results of ours; NULL: it says nothing that can be compared. */
static const char *truth_result(const char *words)
{
	static const char *const known[][2] = {
		{"answered", "answered"},
		{"in application", "answered"},
		{"bridged", "answered"},
		{"up ", "answered"},
		{"supervisor", "answered"},
		{"busy", "busy"},
		{"caller's own phone rejected", "busy"},
		{"rejected with SIP 603", "declined"},
		{"declined", "declined"},
		{"not answered, caller gave up", "cancelled"},
		{"not answered", "no_answer"},
		{"caller did not answer", "no_answer"},
		{"callee not registered", "unreachable"},
		{"503", "failed"},
		{"abandoned", "abandoned"},
		{"left by timeout", "timeout"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(words, known[i][0], strlen(known[i][0])) == 0)
			return known[i][1];
	return NULL;
}

struct wanted {
	char from[64], to[64];
	const char *result;
	double talk_ms; /* <0: not said */
};

static bool fits(const cJSON *segment, const struct wanted *wanted)
{
	double talk = (double)json_get_int(segment, "talkMs", -1);

	if (cJSON_GetObjectItem(segment, "taken") != NULL ||
	    strcmp(json_get_str(segment, "from"), wanted->from) != 0 ||
	    strcmp(json_get_str(segment, "to"), wanted->to) != 0 ||
	    strcmp(json_get_str(segment, "result"), wanted->result) != 0)
		return false;
	return wanted->talk_ms < 0 || (talk >= wanted->talk_ms - TALK_TOLERANCE_MS &&
				       talk <= wanted->talk_ms + TALK_TOLERANCE_MS);
}

static bool find_segment(struct run *run, const struct wanted *wanted)
{
	const cJSON *call;
	cJSON *segment;

	cJSON_ArrayForEach(call, run->calls) cJSON_ArrayForEach(
		segment, cJSON_GetObjectItem(call, "segments")) if (fits(segment, wanted))
	{
		cJSON_AddTrueToObject(segment, "taken");
		return true;
	}
	return false;
}

static void find_or_fail(struct run *run, const char *name, const struct wanted *wanted)
{
	char *calls;

	if (find_segment(run, wanted))
		return;
	calls = cJSON_Print(run->calls);
	fail_msg("%s: no segment %s -> %s %s with %.0f ms of talk in %s", name, wanted->from,
		 wanted->to, wanted->result, wanted->talk_ms, calls);
}

/* A call that went to a queue also has a segment with the agent who answered. */
static void check_agent(struct run *run, const char *name, struct wanted wanted, const char *words)
{
	if (strncmp(words, "answered by 1", 13) != 0)
		return;
	snprintf(wanted.to, sizeof(wanted.to), "%.4s", words + 12);
	find_or_fail(run, name, &wanted);
}

static void check_call(struct run *run, const char *name, const cJSON *truth)
{
	const char *words = json_get_str(truth, "result");
	const char *ended_by = json_get_str(truth, "ended_by");
	const cJSON *talk = cJSON_GetObjectItem(truth, "talk_s");
	struct wanted wanted = {.result = truth_result(words), .talk_ms = -1};
	bool queue =
		strstr(cJSON_IsString(cJSON_GetObjectItem(truth, "to")) ? json_get_str(truth, "to")
									: "",
		       "queue") != NULL;

	/* Not answered by the called one, for the caller gave up. */
	if (wanted.result != NULL && strcmp(words, "not answered") == 0 && ended_by != NULL &&
	    strcmp(ended_by, "caller") == 0)
		wanted.result = "cancelled";
	if (wanted.result == NULL)
		fail_msg("%s: what is \"%s\"?", name, words);
	truth_party(cJSON_GetObjectItem(truth, "from"), wanted.from, sizeof(wanted.from));
	truth_party(cJSON_GetObjectItem(truth, "to"), wanted.to, sizeof(wanted.to));
	if (strncmp(wanted.to, "ChanSpy(PJSIP/", 14) == 0)
		snprintf(wanted.to, sizeof(wanted.to), "%.4s", words + strlen(words) - 9);
	/* When a call was answered during a gap is not known: see README.md of call-lifecycle. */
	if (cJSON_IsNumber(talk) && strncmp(name, "r1-", 3) != 0)
		wanted.talk_ms = talk->valuedouble * 1000;
	if (queue) {
		struct wanted waiting = wanted;

		waiting.talk_ms = -1;
		find_or_fail(run, name, &waiting);
		check_agent(run, name, wanted, words);
		return;
	}
	find_or_fail(run, name, &wanted);
}

static size_t each_transcript(void (*fn)(const char *name))
{
	struct dirent **entries;
	int count = scandir(TRANSCRIPTS, &entries, NULL, alphasort);
	size_t done = 0;

	for (int i = 0; i < count; i++) {
		char *end = strstr(entries[i]->d_name, ".truth.json");

		if (end != NULL) {
			*end = '\0';
			fn(entries[i]->d_name);
			done++;
		}
		free(entries[i]);
	}
	free(entries);
	return done;
}

static void against_truth(const char *name)
{
	cJSON *truth = transcript_truth(name);
	const cJSON *call;
	struct run run;

	run_transcript(&run, name, 0);
	assert_int_equal(model_counters(run.model)->malformed, 0);
	assert_int_equal(model_counters(run.model)->impossible, 0);
	assert_int_equal(model_counters(run.model)->overflow, 0);
	cJSON_ArrayForEach(call, cJSON_GetObjectItem(truth, "calls")) check_call(&run, name, call);
	run_free(&run);
	cJSON_Delete(truth);
}

static void test_truth(void **state)
{
	(void)state;
	assert_int_equal(each_transcript(against_truth), 58);
}

static void with_restarts(const char *name)
{
	struct run whole, broken;
	char *expected, *got;

	run_transcript(&whole, name, 0);
	run_transcript(&broken, name, 1);
	expected = cJSON_Print(whole.calls);
	got = cJSON_Print(broken.calls);
	assert_string_equal(got, expected);
	assert_string_equal(buffer_str(&broken.events), buffer_str(&whole.events));
	free(expected);
	free(got);
	run_free(&whole);
	run_free(&broken);
}

static void test_restart_after_each_entry(void **state)
{
	(void)state;
	each_transcript(with_restarts);
}

static void test_forged_hangups_end_nothing(void **state)
{
	struct run run;

	(void)state;
	run_transcript(&run, "z1-crlf-in-caller-number", 0);
	assert_true(model_counters(run.model)->forged >= 90);
	assert_int_equal(cJSON_GetArraySize(run.calls), 1);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_restart_after_each_entry),
		cmocka_unit_test(test_forged_hangups_end_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
