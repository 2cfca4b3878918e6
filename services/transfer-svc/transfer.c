#include "transfer.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member)   offsetof(struct transfer, member), sizeof(((struct transfer *)0)->member)
#define TEXT(member) FIELD_TEXT, AT(member)

enum field_kind {
	FIELD_TEXT,
	FIELD_NUMBER,
	FIELD_FLAG,
};

/* What is kept and read back as it is; state, mode and kind have names of their own. */
static const struct field {
	const char *name;
	enum field_kind kind;
	size_t offset, size;
	bool shown; /* to people */
} fields[] = {
	{"transferId", TEXT(id), true},
	{"version", FIELD_NUMBER, AT(version), false},
	{"callId", TEXT(call_id), true},
	{"pbx", TEXT(pbx), true},
	{"from", TEXT(by), true},
	{"requestedBy", TEXT(user_id), true},
	{"customer", TEXT(customer), true},
	{"to", TEXT(target), true},
	{"customerChannel", TEXT(customer_channel), false},
	{"customerUniqueid", TEXT(customer_uniqueid), false},
	{"agentChannel", TEXT(agent_channel), false},
	{"targetChannel", TEXT(target_channel), false},
	{"requestId", TEXT(request_id), false},
	{"outside", FIELD_FLAG, AT(outside), false},
	{"fallBack", FIELD_FLAG, AT(fall_back), true},
	{"withCustomer", FIELD_FLAG, AT(with_customer), true},
	{"conference", FIELD_FLAG, AT(conference), true},
	{"ringS", FIELD_NUMBER, AT(ring_s), false},
	{"callerId", TEXT(caller_id), false},
	{"priority", FIELD_NUMBER, AT(priority), false},
	{"position", FIELD_NUMBER, AT(position), false},
	{"announcement", TEXT(announcement), false},
	{"reason", TEXT(reason), true},
	{"cause", TEXT(cause), false},
	{"requestedAt", FIELD_NUMBER, AT(requested_at), true},
	{"ringingAt", FIELD_NUMBER, AT(ringing_at), true},
	{"answeredAt", FIELD_NUMBER, AT(answered_at), true},
	{"endedAt", FIELD_NUMBER, AT(ended_at), true},
	{"stateAt", FIELD_NUMBER, AT(state_at), true},
	{"deadlineAt", FIELD_NUMBER, AT(deadline_at), true},
	{"actions", FIELD_NUMBER, AT(actions), false},
	{"appliedId", TEXT(applied_id), false},
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static const char *const kind_names[] = {
	"blind",   "external",    "queue",          "dialplan",
	"managed", "phone_blind", "phone_attended", "park",
};

const char *kind_name(enum transfer_kind kind)
{
	return kind_names[kind];
}

bool kind_parse(const char *name, enum transfer_kind *kind_r)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kind_names[i], name) == 0) {
			*kind_r = (enum transfer_kind)i;
			return true;
		}
	return false;
}

bool kind_is_phones(enum transfer_kind kind)
{
	return kind >= KIND_PHONE_BLIND;
}

static const char *text_of(const struct transfer *transfer, const struct field *field)
{
	return (const char *)transfer + field->offset;
}

static int64_t number_of(const struct transfer *transfer, const struct field *field)
{
	int64_t number;

	if (field->kind == FIELD_FLAG)
		return *(const bool *)((const char *)transfer + field->offset);
	memcpy(&number, (const char *)transfer + field->offset, sizeof(number));
	return number;
}

void transfer_fields(const struct transfer *transfer, transfer_field_fn *fn, void *context)
{
	char number[24];

	fn("state", state_name(transfer->state), context);
	fn("mode", mode_name(transfer->mode), context);
	fn("kind", kind_name(transfer->kind), context);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		snprintf(number, sizeof(number), "%" PRId64,
			 fields[i].kind != FIELD_TEXT ? number_of(transfer, &fields[i]) : 0);
		fn(fields[i].name,
		   fields[i].kind == FIELD_TEXT ? text_of(transfer, &fields[i]) : number, context);
	}
}

static void read_field(struct transfer *transfer, const struct field *field, const char *value)
{
	char *at = (char *)transfer + field->offset;
	int64_t number = strtoll(value, NULL, 10);
	bool flag = number != 0;

	if (field->kind == FIELD_TEXT)
		snprintf(at, field->size, "%s", value);
	else if (field->kind == FIELD_FLAG)
		memcpy(at, &flag, sizeof(flag));
	else
		memcpy(at, &number, sizeof(number));
}

static bool read_named(struct transfer *transfer, const char *name, const char *value)
{
	if (strcmp(name, "state") == 0)
		return state_parse(value, &transfer->state);
	if (strcmp(name, "kind") == 0)
		return kind_parse(value, &transfer->kind);
	if (strcmp(name, "mode") == 0)
		return mode_parse(value, &transfer->mode);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (strcmp(name, fields[i].name) == 0)
			read_field(transfer, &fields[i], value);
	return true;
}

bool transfer_read(struct transfer *transfer, const redisReply *reply)
{
	memset(transfer, 0, sizeof(*transfer));
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		return false;
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		const redisReply *name = reply->element[i], *value = reply->element[i + 1];

		if (name->str == NULL || value->str == NULL ||
		    !read_named(transfer, name->str, value->str))
			return false;
	}
	return transfer->id[0] != '\0' && transfer->version > 0;
}

static void write_field(const struct transfer *transfer, const struct field *field,
			struct json_writer *json)
{
	if (field->kind == FIELD_TEXT && text_of(transfer, field)[0] != '\0')
		json_field_str(json, field->name, text_of(transfer, field));
	else if (field->kind == FIELD_FLAG)
		json_field_bool(json, field->name, number_of(transfer, field) != 0);
	else if (field->kind == FIELD_NUMBER && number_of(transfer, field) != 0)
		json_field_int(json, field->name, number_of(transfer, field));
}

void transfer_write(const struct transfer *transfer, struct json_writer *json)
{
	json_begin_object(json);
	json_field_str(json, "kind", kind_name(transfer->kind));
	json_field_str(json, "state", state_name(transfer->state));
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (fields[i].shown)
			write_field(transfer, &fields[i], json);
	json_end_object(json);
}

/* Those whom it is about: they are told. */
static void write_extensions(const struct transfer *transfer, struct json_writer *json)
{
	bool phone = transfer->kind != KIND_QUEUE && transfer->kind != KIND_DIALPLAN &&
		     !transfer->outside && strlen(transfer->target) < TRANSFER_PARTY;

	json_key(json, "extensions");
	json_begin_array(json);
	json_str(json, transfer->by);
	if (phone && transfer->target[0] != '\0' && strcmp(transfer->target, transfer->by) != 0)
		json_str(json, transfer->target);
	json_end_array(json);
}

void transfer_event(const struct transfer *transfer, const char *type, int64_t at,
		    struct buffer *out)
{
	struct json_writer json = json_writer_init(out);
	char key[TRANSFER_ID_MAX + 16];

	snprintf(key, sizeof(key), "transfer:%s", transfer->id);
	json_begin_object(&json);
	json_field_int(&json, "v", 1);
	json_field_str(&json, "eventType", type);
	json_field_str(&json, "callId", transfer->call_id);
	if (transfer->by[0] != '\0') {
		json_field_str(&json, "extension", transfer->by);
		write_extensions(transfer, &json);
	}
	json_field_str(&json, "pbx", transfer->pbx);
	json_field_int(&json, "timestamp", at);
	json_key(&json, "data");
	transfer_write(transfer, &json);
	json_field_str(&json, "redisKey", key);
	json_end_object(&json);
}
