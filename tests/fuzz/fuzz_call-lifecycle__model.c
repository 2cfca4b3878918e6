/* Any events in any order, of a handful of channels and bridges: the model never contradicts
   itself, every call that begins ends once, what is told is JSON, and a model that is thrown away
   and loaded again is the same. Each entry is made of six bytes of the input. */
#include "model.h"

#include "json.h"
#include "mem.h"
#include "model_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHANNELS    14
#define ENTRIES_MAX 400
#define ENDED_MAX   1024

static const struct model_settings settings = {
	.pbx = "main", .pbx_down_ms = 60000, .calls_max = 64};

struct fuzz {
	struct model *model;
	int64_t t;
	unsigned generation[CHANNELS]; /* a number that hung up is used again for another channel */
	char ended[ENDED_MAX][40];
	size_t ended_count;
	cJSON *kept; /* "model" of the live calls by id */
};

static void uniqueid(const struct fuzz *fuzz, unsigned number, char *out)
{
	snprintf(out, 40, "u%u.%u", number % CHANNELS, fuzz->generation[number % CHANNELS]);
}

/* Six phones, two trunks, three Local pairs. */
static void channel_name(const struct fuzz *fuzz, unsigned number, char *out)
{
	unsigned n = number % CHANNELS, generation = fuzz->generation[n];

	if (n < 6)
		snprintf(out, 60, "PJSIP/100%u-%08x", n, generation);
	else if (n < 8)
		snprintf(out, 60, "PJSIP/trunk-%u%07x", n, generation);
	else
		snprintf(out, 60, "Local/100%u@c-%08x;%u", n / 2 - 4,
			 fuzz->generation[n & ~1U] + n / 2, n % 2 + 1);
}

static void add_channel(const struct fuzz *fuzz, struct json_writer *writer, const char *prefix,
			const char *suffix, unsigned number)
{
	char key[60], name[60], id[40];

	channel_name(fuzz, number, name);
	uniqueid(fuzz, number, id);
	snprintf(key, sizeof(key), "%sChannel%s", prefix, suffix);
	json_field_str(writer, key, name);
	snprintf(key, sizeof(key), "%sUniqueid%s", prefix, suffix);
	json_field_str(writer, key, id);
}

/* In Asterisk's order: see on_hangup(). */
static void add_main(const struct fuzz *fuzz, struct json_writer *writer, const uint8_t *bytes)
{
	static const char *const states[] = {"0", "4", "5", "6"};
	char name[60], id[40], linked[40];

	channel_name(fuzz, bytes[1], name);
	uniqueid(fuzz, bytes[1], id);
	uniqueid(fuzz, bytes[4] & 0x40 ? bytes[4] : bytes[1], linked);
	json_field_str(writer, "Channel", name);
	json_field_str(writer, "ChannelState", states[bytes[4] & 3]);
	json_field_str(writer, "CallerIDNum", bytes[4] & 4 ? "79160000000" : "<unknown>");
	json_field_str(writer, "Context", bytes[4] & 8 ? "mayday-hold" : "from-internal");
	json_field_str(writer, "Exten", bytes[4] & 16 ? "1002" : "s");
	if (bytes[4] & 0x80 && bytes[5] & 1)
		return; /* torn */
	json_field_str(writer, "Uniqueid", id);
	json_field_str(writer, "Linkedid", linked);
}

static void add_rest(const struct fuzz *fuzz, struct json_writer *writer, const uint8_t *bytes)
{
	static const char *const statuses[] = {"ANSWER",     "BUSY",        "NOANSWER", "CANCEL",
					       "CONGESTION", "CHANUNAVAIL", "RINGING",  "PROGRESS"};
	static const char *const causes[] = {"16", "17", "21", "0", "19", "26", "20", "127"};
	static const char *const types[] = {"basic", "basic", "basic", "parking"};
	char bridge[8];

	snprintf(bridge, sizeof(bridge), "b%d", bytes[3] % 5);
	json_field_str(writer, "Cause", causes[bytes[3] >> 5]);
	add_channel(fuzz, writer, "Dest", "", bytes[2]);
	json_field_str(writer, "DestChannelState", bytes[4] & 32 ? "5" : "0");
	json_field_str(writer, "DialStatus", statuses[bytes[3] & 7]);
	json_field_str(writer, "DialString", "70100000001@trunk");
	json_field_str(writer, "BridgeUniqueid", bridge);
	json_field_str(writer, "BridgeId", bridge);
	json_field_str(writer, "BridgeType", types[bytes[3] >> 3 & 3]);
	json_field_str(writer, "BridgeCreator", bytes[3] == 255 ? "ConfBridge" : "<unknown>");
	json_field_str(writer, "Response", bytes[3] & 1 ? "Success" : "Failure");
	json_field_str(writer, "Reason", bytes[3] & 2 ? "3" : "0");
	json_field_str(writer, "Queue", "support");
	json_field_str(writer, "ParkingSpace", "701");
	json_field_str(writer, "Result", "Success");
	json_field_str(writer, "Extension", "1003");
	json_field_str(writer, "Newname", "PJSIP/1009-00000001");
	json_field_str(writer, "Device", bytes[3] & 4 ? "PJSIP/1001" : "PJSIP/trunk");
	json_field_str(writer, "State", bytes[3] & 16 ? "1" : bytes[3] & 8 ? "NOT_INUSE" : "INUSE");
	json_field_str(writer, "UserEvent", "MaydayHold");
	json_field_str(writer, "Role", bytes[3] & 1 ? "agent" : "customer");
	json_field_str(writer, "Duration", "00:01:00");
	json_field_str(writer, "id", bytes[3] & 1 ? "s1" : "s2");
	json_field_str(writer, "outcome", "error");
	json_field_str(writer, "message", "no");
}

static void add_others(const struct fuzz *fuzz, struct json_writer *writer, const uint8_t *bytes)
{
	char id[40], data[200];

	add_channel(fuzz, writer, "LocalOne", "", bytes[1] & ~1U);
	add_channel(fuzz, writer, "LocalTwo", "", bytes[1] | 1U);
	add_channel(fuzz, writer, "Transferer", "", bytes[1]);
	add_channel(fuzz, writer, "Transferee", "", bytes[2]);
	add_channel(fuzz, writer, "OrigTransferer", "", bytes[1]);
	add_channel(fuzz, writer, "SecondTransferer", "", bytes[3]);
	add_channel(fuzz, writer, "Parkee", "", bytes[1]);
	add_channel(fuzz, writer, "Retriever", "", bytes[2]);
	add_channel(fuzz, writer, "Spyer", "", bytes[1]);
	add_channel(fuzz, writer, "Spyee", "", bytes[2]);
	uniqueid(fuzz, bytes[1], id);
	json_field_str(writer, "callId", id);
	json_field_str(writer, "actionId", id);
	snprintf(data, sizeof(data),
		 "{\"from\":\"1001\",\"to\":\"1002\",\"timeoutMs\":1000,\"recordingId\":\"%u-ab\","
		 "\"uniqueid\":\"%s\",\"muted\":true}",
		 bytes[2], id);
	json_field_raw(writer, "data", data);
	json_field_str(writer, "action", bytes[3] & 1 ? "MixMonitor" : "MuteAudio");
}

static const char *const events[] = {
	"Newchannel",
	"Newchannel",
	"Newchannel",
	"Newstate",
	"DialBegin",
	"DialBegin",
	"DialState",
	"DialEnd",
	"BridgeEnter",
	"BridgeEnter",
	"BridgeLeave",
	"BridgeDestroy",
	"Hangup",
	"HangupRequest",
	"Hold",
	"Unhold",
	"LocalBridge",
	"OriginateResponse",
	"BlindTransfer",
	"AttendedTransfer",
	"ParkedCall",
	"UnParkedCall",
	"ParkedCallTimeOut",
	"ParkedCallGiveUp",
	"QueueCallerJoin",
	"QueueCallerLeave",
	"QueueCallerAbandon",
	"ChanSpyStart",
	"DeviceStateChange",
	"UserEvent",
	"Rename",
	"MaydayUp",
	"MaydayDown",
	"MaydaySnapshotBegin",
	"CoreShowChannel",
	"MaydaySnapshotEnd",
	"MaydayOriginate",
	"MaydayOriginateFailed",
	"MaydayGap",
	"MaydayDone",
	"MixMonitorMute",
	"MixMonitorStop",
};

static void on_field(const char *name, const char *value, size_t len, void *context)
{
	struct fuzz *fuzz = context;
	const char *error = NULL;
	cJSON *tree = NULL;

	if (strcmp(name, "model") == 0 && len > 0)
		cJSON_AddStringToObject(fuzz->kept, "next", value);
	if (len > 0 && (value[0] == '{' || value[0] == '[')) {
		tree = json_parse(value, len, &error);
		if (tree == NULL)
			abort();
	}
	cJSON_Delete(tree);
}

static void check_ended(struct fuzz *fuzz, const struct call *call)
{
	const char *id = model_call_id(call);

	for (size_t i = 0; i < fuzz->ended_count; i++)
		if (strcmp(fuzz->ended[i], id) == 0)
			abort(); /* twice */
	if (fuzz->ended_count < ENDED_MAX)
		snprintf(fuzz->ended[fuzz->ended_count++], sizeof(fuzz->ended[0]), "%s", id);
}

static void take(struct fuzz *fuzz)
{
	const struct model_effects *effects = model_effects(fuzz->model);

	for (size_t i = 0; i < effects->event_count; i++) {
		const char *error = NULL;
		cJSON *tree = json_parse(effects->text.data + effects->events[i].offset,
					 effects->events[i].len, &error);

		if (tree == NULL)
			abort();
		cJSON_Delete(tree);
	}
	for (size_t i = 0; i < effects->call_count; i++) {
		const struct call *call = effects->calls[i];

		cJSON_DeleteItemFromObjectCaseSensitive(fuzz->kept, model_call_id(call));
		model_call_fields(fuzz->model, call, on_field, fuzz);
		if (model_call_ended(call))
			check_ended(fuzz, call);
		else
			cJSON_AddItemToObject(
				fuzz->kept, model_call_id(call),
				cJSON_DetachItemFromObjectCaseSensitive(fuzz->kept, "next"));
		cJSON_DeleteItemFromObjectCaseSensitive(fuzz->kept, "next");
	}
	model_clear_effects(fuzz->model);
}

static void restart(struct fuzz *fuzz)
{
	char *state = model_save(fuzz->model);
	size_t calls = model_live_calls(fuzz->model), channels = model_live_channels(fuzz->model);
	const cJSON *item;

	model_free(&fuzz->model);
	fuzz->model = model_new(&settings);
	fuzz->ended_count = 0; /* not kept: their ids may be used again */
	if (model_load(fuzz->model, state, strlen(state)) < 0)
		abort();
	cJSON_ArrayForEach(item, fuzz->kept) if (model_load_call(fuzz->model, item->valuestring,
								 strlen(item->valuestring)) < 0)
		abort();
	model_load_done(fuzz->model);
	if (model_live_calls(fuzz->model) != calls || model_live_channels(fuzz->model) != channels)
		abort();
	free(state);
}

static void check(struct fuzz *fuzz)
{
	struct buffer faults = {0};

	if (model_check(fuzz->model, &faults) > 0) {
		fprintf(stderr, "%s", buffer_str(&faults));
		abort();
	}
	buffer_free(&faults);
}

static void apply(struct fuzz *fuzz, const uint8_t *bytes)
{
	const char *event = events[bytes[0] % (sizeof(events) / sizeof(events[0]))];
	struct buffer text = {0};
	struct json_writer writer = json_writer_init(&text);

	fuzz->t += bytes[5] < 250 ? bytes[5] * 4 : 70000;
	json_begin_object(&writer);
	json_field_int(&writer, "t", fuzz->t);
	json_field_int(&writer, "n", 1);
	json_field_str(&writer, "Event", event);
	add_main(fuzz, &writer, bytes);
	add_rest(fuzz, &writer, bytes);
	add_others(fuzz, &writer, bytes);
	json_end_object(&writer);
	if (getenv("FUZZ_SHOW") != NULL)
		fprintf(stderr, "%s %d %d %u %u %u\n", event, bytes[1] % CHANNELS,
			bytes[2] % CHANNELS, bytes[3], bytes[4], bytes[5]);
	model_apply(fuzz->model, buffer_str(&text), text.len);
	check(fuzz);
	take(fuzz);
	if (strcmp(event, "Hangup") == 0)
		fuzz->generation[bytes[1] % CHANNELS]++;
	buffer_free(&text);
}

/* Nothing is left behind when Asterisk never comes back. */
static void end(struct fuzz *fuzz)
{
	static const char down[] = "{\"t\":%lld,\"n\":1,\"Event\":\"MaydayDown\"}";
	char text[80];

	snprintf(text, sizeof(text), down, (long long)fuzz->t);
	model_apply(fuzz->model, text, strlen(text));
	model_tick(fuzz->model, fuzz->t + 200000);
	take(fuzz);
	if (model_live_calls(fuzz->model) != 0 || model_live_channels(fuzz->model) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *fuzz = mem_new(struct fuzz);

	fuzz->model = model_new(&settings);
	fuzz->kept = cJSON_CreateObject();
	fuzz->t = 1000000;
	for (size_t i = 0; i + 6 <= size && i < (size_t)ENTRIES_MAX * 6; i += 6) {
		apply(fuzz, data + i);
		if (data[i + 4] & 0x20)
			restart(fuzz);
	}
	end(fuzz);
	cJSON_Delete(fuzz->kept);
	model_free(&fuzz->model);
	free(fuzz);
	return 0;
}
