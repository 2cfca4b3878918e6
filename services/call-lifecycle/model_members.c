#include "model_members.h"

#include "mem.h"
#include "model_parts.h"

#include <string.h>

enum member_kind {
	MEMBER_INT64,
	MEMBER_INT, /* int, unsigned, or an enum */
	MEMBER_BOOL,
	MEMBER_CHARS,  /* an array of char */
	MEMBER_STRING, /* char *, owned, NULL for none */
	MEMBER_UINT64,
};

struct member {
	const char *key; /* NULL ends the table */
	enum member_kind kind;
	size_t offset, size;
};

#define MEMBER(kind, type, name, key)                                                              \
	{                                                                                          \
		key, kind, offsetof(struct type, name), sizeof(((struct type *)NULL)->name)        \
	}
#define MEMBERS_END                                                                                \
	{                                                                                          \
		NULL, MEMBER_INT, 0, 0                                                             \
	}

static const struct member channel_table[] = {
	MEMBER(MEMBER_STRING, channel, uniqueid, "u"),
	MEMBER(MEMBER_STRING, channel, name, "n"),
	MEMBER(MEMBER_STRING, channel, caller_name, "cn"),
	MEMBER(MEMBER_STRING, channel, origin_call, "oc"),
	MEMBER(MEMBER_INT, channel, state, "st"),
	MEMBER(MEMBER_UINT64, channel, serial, "s"),
	MEMBER(MEMBER_BOOL, channel, local, "l"),
	MEMBER(MEMBER_BOOL, channel, external, "x"),
	MEMBER(MEMBER_BOOL, channel, originated, "o"),
	MEMBER(MEMBER_BOOL, channel, hangup_requested, "hr"),
	MEMBER(MEMBER_BOOL, channel, redirected, "rd"),
	MEMBER(MEMBER_BOOL, channel, asks, "as"),
	MEMBER(MEMBER_BOOL, channel, returns, "rt"),
	MEMBER(MEMBER_BOOL, channel, muted, "mu"),
	MEMBER(MEMBER_BOOL, channel, parked, "pk"),
	MEMBER(MEMBER_BOOL, channel, queued, "q"),
	MEMBER(MEMBER_BOOL, channel, suspect, "sp"),
	MEMBER(MEMBER_BOOL, channel, holds, "hd"),
	MEMBER(MEMBER_BOOL, channel, orphan, "op"),
	MEMBER(MEMBER_CHARS, channel, party, "p"),
	MEMBER(MEMBER_CHARS, channel, number, "no"),
	MEMBER(MEMBER_CHARS, channel, exten, "e"),
	MEMBER(MEMBER_INT, channel, linkedid_seen, "ls"),
	MEMBER(MEMBER_INT, channel, snapshot, "sn"),
	MEMBER(MEMBER_INT64, channel, created_at, "ca"),
	MEMBER(MEMBER_INT64, channel, up_at, "ua"),
	MEMBER(MEMBER_INT64, channel, hold_at, "ha"),
	MEMBER(MEMBER_INT64, channel, our_hold_at, "oh"),
	MEMBER(MEMBER_INT64, channel, lone_at, "la"),
	MEMBER(MEMBER_INT, channel, cause, "c"),
	MEMBERS_END,
};

static const struct member segment_table[] = {
	MEMBER(MEMBER_INT, segment, kind, "k"),
	MEMBER(MEMBER_INT, segment, phase, "ph"),
	MEMBER(MEMBER_INT, segment, result, "r"),
	MEMBER(MEMBER_INT, segment, cause, "c"),
	MEMBER(MEMBER_CHARS, segment, from, "f"),
	MEMBER(MEMBER_CHARS, segment, to, "t"),
	MEMBER(MEMBER_INT64, segment, started_at, "sa"),
	MEMBER(MEMBER_INT64, segment, ringing_at, "ra"),
	MEMBER(MEMBER_INT64, segment, answered_at, "aa"),
	MEMBER(MEMBER_INT64, segment, ended_at, "ea"),
	MEMBER(MEMBER_INT64, segment, talk_since, "ts"),
	MEMBER(MEMBER_INT64, segment, talk_ms, "tm"),
	MEMBER(MEMBER_INT64, segment, apart_at, "pa"),
	MEMBER(MEMBER_BOOL, segment, connected, "cn"),
	MEMBER(MEMBER_BOOL, segment, own_ring, "or"),
	MEMBER(MEMBER_STRING, segment, queue, "q"),
	MEMBER(MEMBER_INT64, segment, joined_at, "ja"),
	MEMBER(MEMBER_INT64, segment, hold_since, "hs"),
	MEMBER(MEMBER_INT64, segment, hold_ms, "hm"),
	MEMBERS_END,
};

static const struct member party_table[] = {
	MEMBER(MEMBER_CHARS, party, number, "number"),
	MEMBER(MEMBER_CHARS, party, extension, "extension"),
	MEMBER(MEMBER_STRING, party, name, "name"),
	MEMBERS_END,
};

static const struct member call_table[] = {
	MEMBER(MEMBER_STRING, call, id, "id"),
	MEMBER(MEMBER_STRING, call, linkedid, "li"),
	MEMBER(MEMBER_UINT64, call, serial, "s"),
	MEMBER(MEMBER_INT, call, state, "st"),
	MEMBER(MEMBER_INT, call, direction, "d"),
	MEMBER(MEMBER_INT64, call, started_at, "sa"),
	MEMBER(MEMBER_INT64, call, ringing_at, "ra"),
	MEMBER(MEMBER_INT64, call, answered_at, "aa"),
	MEMBER(MEMBER_INT, call, talking, "tk"),
	MEMBER(MEMBER_INT64, call, talk_since, "ts"),
	MEMBER(MEMBER_INT64, call, talk_ms, "tm"),
	MEMBER(MEMBER_INT64, call, held_since, "hs"),
	MEMBER(MEMBER_INT64, call, hold_ms, "hm"),
	MEMBER(MEMBER_CHARS, call, held_by, "hb"),
	MEMBER(MEMBER_INT, call, cause, "c"),
	MEMBER(MEMBER_CHARS, call, ended_by_party, "ep"),
	MEMBER(MEMBER_STRING, call, message, "ms"),
	MEMBER(MEMBER_STRING, call, trunk, "tn"),
	MEMBER(MEMBER_CHARS, call, queue, "q"),
	MEMBER(MEMBER_CHARS, call, queue_outcome, "qo"),
	MEMBER(MEMBER_INT64, call, queue_joined_at, "qj"),
	MEMBER(MEMBER_INT64, call, queue_wait_ms, "qw"),
	MEMBER(MEMBER_INT, call, queue_position, "qp"),
	MEMBER(MEMBER_CHARS, call, park_space, "ps"),
	MEMBER(MEMBER_CHARS, call, park_lot, "pl"),
	MEMBER(MEMBER_INT64, call, parked_at, "pa"),
	MEMBER(MEMBER_BOOL, call, transferring, "tr"),
	MEMBER(MEMBER_BOOL, call, originated, "o"),
	MEMBER(MEMBER_BOOL, call, adopted, "ad"),
	MEMBER(MEMBER_BOOL, call, begun, "bg"),
	MEMBER(MEMBER_BOOL, call, dialled, "dd"),
	MEMBER(MEMBER_BOOL, call, no_answer, "na"),
	MEMBER(MEMBER_BOOL, call, recording_wanted, "rw"),
	MEMBER(MEMBER_BOOL, call, by_caller, "bc"),
	MEMBER(MEMBER_STRING, call, merged_into, "mi"),
	MEMBER(MEMBER_STRING, call, action_id, "ai"),
	MEMBER(MEMBER_STRING, call, requested_by, "rb"),
	MEMBER(MEMBER_INT64, call, deadline_at, "da"),
	MEMBER(MEMBER_INT64, call, check_at, "ck"),
	MEMBER(MEMBER_INT, call, timeline_count, "tc"),
	MEMBERS_END,
};

static const struct member transfer_table[] = {
	MEMBER(MEMBER_INT64, transfer, at, "at"),
	MEMBER(MEMBER_CHARS, transfer, by, "by"),
	MEMBER(MEMBER_CHARS, transfer, transferee, "who"),
	MEMBER(MEMBER_CHARS, transfer, target, "to"),
	MEMBERS_END,
};

static const struct member recording_table[] = {
	MEMBER(MEMBER_CHARS, recording, id, "id"),
	MEMBER(MEMBER_CHARS, recording, by, "by"),
	MEMBER(MEMBER_INT, recording, state, "st"),
	MEMBER(MEMBER_INT64, recording, started_at, "sa"),
	MEMBER(MEMBER_INT64, recording, ended_at, "ea"),
	MEMBER(MEMBER_INT64, recording, due_at, "da"),
	MEMBER(MEMBER_STRING, recording, heard, "h"),
	MEMBERS_END,
};

static const struct member model_table[] = {
	MEMBER(MEMBER_INT64, model, now, "now"),
	MEMBER(MEMBER_INT64, model, as_of, "asOf"),
	MEMBER(MEMBER_INT64, model, down_at, "downAt"),
	MEMBER(MEMBER_INT, model, snapshot, "snapshot"),
	MEMBER(MEMBER_BOOL, model, unsure, "unsure"),
	MEMBER(MEMBER_INT64, model, unsure_at, "unsureAt"),
	MEMBER(MEMBER_BOOL, model, queues_listed, "queuesListed"),
	MEMBER(MEMBER_UINT64, model, serial, "serial"),
	MEMBERS_END,
};

static const struct member agent_table[] = {
	MEMBER(MEMBER_CHARS, agent, device_state, "ds"),
	MEMBER(MEMBER_INT64, agent, device_at, "da"),
	MEMBER(MEMBER_STRING, agent, call_id, "c"),
	MEMBER(MEMBER_INT, agent, state, "st"),
	MEMBER(MEMBER_INT64, agent, state_at, "sa"),
	MEMBER(MEMBER_CHARS, agent, reason, "r"),
	MEMBER(MEMBER_BOOL, agent, paused, "p"),
	MEMBER(MEMBER_CHARS, agent, pause_reason, "pr"),
	MEMBER(MEMBER_CHARS, agent, serving, "q"),
	MEMBER(MEMBER_INT64, agent, wrap_until, "wu"),
	MEMBER(MEMBER_CHARS, agent, wrap_queue, "wq"),
	MEMBER(MEMBER_INT64, agent, day_at, "d"),
	MEMBER(MEMBER_INT64, agent, calls_today, "n"),
	MEMBER(MEMBER_INT64, agent, talk_today_ms, "t"),
	MEMBER(MEMBER_INT, agent, told, "td"),
	MEMBER(MEMBER_INT64, agent, time_today_ms[AGENT_OFFLINE], "t0"),
	MEMBER(MEMBER_INT64, agent, time_today_ms[AGENT_AVAILABLE], "t1"),
	MEMBER(MEMBER_INT64, agent, time_today_ms[AGENT_RINGING], "t2"),
	MEMBER(MEMBER_INT64, agent, time_today_ms[AGENT_BUSY], "t3"),
	MEMBER(MEMBER_INT64, agent, time_today_ms[AGENT_WRAP_UP], "t4"),
	MEMBER(MEMBER_INT64, agent, time_today_ms[AGENT_PAUSED], "t5"),
	MEMBERS_END,
};

static const struct member torn_table[] = {
	MEMBER(MEMBER_CHARS, torn_channel, name, "n"),
	MEMBER(MEMBER_CHARS, torn_channel, number, "no"),
	MEMBER(MEMBER_INT, torn_channel, state, "st"),
	MEMBER(MEMBER_INT64, torn_channel, at, "at"),
	MEMBERS_END,
};

const struct member *const agent_members = agent_table;
const struct member *const channel_members = channel_table;
const struct member *const segment_members = segment_table;
const struct member *const party_members = party_table;
const struct member *const call_members = call_table;
const struct member *const transfer_members = transfer_table;
const struct member *const recording_members = recording_table;
const struct member *const model_members = model_table;
const struct member *const torn_members = torn_table;

/* What is 0 or empty is left out. */
static void save_member(struct json_writer *writer, const struct member *member, const void *from)
{
	const char *at = (const char *)from + member->offset;
	int64_t number = 0;
	const char *text = NULL;

	switch (member->kind) {
	case MEMBER_INT64:
	case MEMBER_UINT64:
		memcpy(&number, at, sizeof(number));
		break;
	case MEMBER_INT:
		memcpy(&number, at, member->size);
		break;
	case MEMBER_BOOL:
		number = *(const bool *)at;
		break;
	case MEMBER_CHARS:
		text = at;
		break;
	case MEMBER_STRING:
		text = *(char *const *)at;
		break;
	}
	if (text != NULL && text[0] != '\0')
		json_field_str(writer, member->key, text);
	else if (number != 0)
		json_field_int(writer, member->key, number);
}

void members_save(struct json_writer *writer, const struct member *members, const void *from)
{
	for (; members->key != NULL; members++)
		save_member(writer, members, from);
}

static void load_member(const cJSON *item, const struct member *member, void *to)
{
	char *at = (char *)to + member->offset;
	int64_t number = cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;

	if (member->kind == MEMBER_CHARS || member->kind == MEMBER_STRING) {
		if (!cJSON_IsString(item))
			return;
		if (member->kind == MEMBER_CHARS)
			model_copy(at, member->size, item->valuestring);
		else
			*(char **)at = mem_strdup(item->valuestring);
	} else if (member->kind == MEMBER_BOOL) {
		*(bool *)at = number != 0;
	} else {
		memcpy(at, &number, member->size); /* little-endian */
	}
}

/* One pass over the object: its keys are few and unlike. */
void members_load(const cJSON *object, const struct member *members, void *to)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object) for (const struct member *member = members;
					      member->key != NULL; member++)
	{
		if (strcmp(member->key, item->string) != 0)
			continue;
		load_member(item, member, to);
		break;
	}
}
