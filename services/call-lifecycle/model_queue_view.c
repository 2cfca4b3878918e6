/* Queues as others see them: queue:<name>, queue:changed; and back from that after a restart. */
#include "model_parts.h"

#include "json.h"
#include "mem.h"
#include "msg_event.h"
#include "msg_queue_changed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Asterisk's numbers of device states. */
enum {
	STATUS_NOT_INUSE = 1,
};

static const char *const status_names[] = {"unknown", "not_inuse", "inuse",
					   "busy",    "invalid",   "unavailable",
					   "ringing", "ringinuse", "onhold"};

static bool is_available(const struct queue_member *member)
{
	return !member->paused && member->status == STATUS_NOT_INUSE;
}

static int64_t available(const struct queue *queue)
{
	int64_t count = 0;

	for (size_t i = 0; i < queue->member_count; i++)
		count += is_available(&queue->members[i]);
	return count;
}

/* ---- queue:changed ---- */

static void tell(struct model *model, struct queue *queue)
{
	char key[100];
	struct buffer data = {0};
	struct json_writer writer = json_writer_init(&data);
	const char *about = queue->about[0] != '\0' ? queue->about : NULL;
	const struct msg_queue_changed message = {
		.queue = queue->name,
		.change = queue->change,
		.call_id = queue->call_id,
		.extension = about,
		.waiting = (int64_t)queue->caller_count,
		.has_longest_since_at = queue->caller_count > 0,
		.longest_since_at = queue->caller_count > 0 ? queue->callers[0].joined_at : 0,
		.members = (int64_t)queue->member_count,
		.available = available(queue),
	};
	struct msg_event event = {
		.event_type = "queue:changed",
		.call_id = queue->call_id,
		.extension = about,
		.extensions_count = about != NULL,
		.extensions = {about},
		.pbx = model->settings->pbx,
		.timestamp = model->now,
		.redis_key = key,
	};

	msg_queue_changed_write(&message, &writer);
	event.data.text = buffer_str(&data);
	snprintf(key, sizeof(key), "queue:%s", queue->name);
	event_add(model, MODEL_TOPIC_QUEUE, queue->number, &event);
	buffer_free(&data);
}

void queues_flush(struct model *model)
{
	struct model_effects *effects = &model->effects;

	if (!model->queues_to_tell)
		return;
	model->queues_to_tell = false;
	for (size_t i = 0; i < effects->queue_count; i++) {
		if (!effects->queues[i]->tell)
			continue;
		effects->queues[i]->tell = false;
		tell(model, effects->queues[i]);
	}
}

/* ---- queue:<name> ---- */

static void write_caller(struct json_writer *writer, const struct queue_caller *caller)
{
	json_begin_object(writer);
	json_field_str(writer, "callId", caller->call_id);
	json_field_str(writer, "uniqueid", caller->uniqueid);
	json_field_str(writer, "number", caller->number);
	json_field_int(writer, "position", caller->position);
	json_field_int(writer, "joinedAt", caller->joined_at);
	json_end_object(writer);
}

static void write_member(struct json_writer *writer, const struct queue_member *member)
{
	size_t known = sizeof(status_names) / sizeof(status_names[0]);
	size_t status = (size_t)member->status < known ? (size_t)member->status : 0;

	json_begin_object(writer);
	json_field_str(writer, "interface", member->interface);
	json_field_str(writer, "name", member->name);
	if (member->extension[0] != '\0')
		json_field_str(writer, "extension", member->extension);
	json_field_str(writer, "deviceState", status_names[status]);
	json_field_bool(writer, "available", is_available(member));
	json_field_bool(writer, "loggedIn", member_is_logged_in(member));
	json_field_bool(writer, "paused", member->paused);
	if (member->reason[0] != '\0')
		json_field_str(writer, "reason", member->reason);
	json_field_bool(writer, "inCall", member->in_call);
	json_field_int(writer, "penalty", member->penalty);
	json_field_int(writer, "callsTaken", member->calls_taken);
	json_field_int(writer, "lastCallAt", member->last_call_at);
	json_field_int(writer, "loginAt", member->login_at);
	json_field_int(writer, "wrapUpS", member->wrap_up_s);
	json_field_str(writer, "membership", member->membership);
	json_end_object(writer);
}

struct view {
	model_field_fn *fn;
	void *context;
	struct buffer text;
};

static void put(struct view *view, const char *name, const char *value)
{
	view->fn(name, value, strlen(value), view->context);
}

static void put_int(struct view *view, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	put(view, name, text);
}

static void put_callers(struct view *view, const struct queue *queue)
{
	struct json_writer writer = json_writer_init(&view->text);

	buffer_clear(&view->text);
	json_begin_array(&writer);
	for (size_t i = 0; i < queue->caller_count; i++)
		write_caller(&writer, &queue->callers[i]);
	json_end_array(&writer);
	put(view, "callers", buffer_str(&view->text));
}

static void put_members(struct view *view, const struct queue *queue)
{
	struct json_writer writer = json_writer_init(&view->text);

	buffer_clear(&view->text);
	json_begin_array(&writer);
	for (size_t i = 0; i < queue->member_count; i++)
		write_member(&writer, &queue->members[i]);
	json_end_array(&writer);
	put(view, "members", buffer_str(&view->text));
}

static const struct {
	const char *name;
	size_t offset;
} day_fields[] = {
	{"dayAt", offsetof(struct queue_day, at)},
	{"offeredToday", offsetof(struct queue_day, offered)},
	{"answeredToday", offsetof(struct queue_day, answered)},
	{"inServiceLevelToday", offsetof(struct queue_day, answered_in_level)},
	{"abandonedToday", offsetof(struct queue_day, abandoned)},
	{"shortAbandonedToday", offsetof(struct queue_day, abandoned_short)},
	{"timedOutToday", offsetof(struct queue_day, timed_out)},
	{"waitTodayMs", offsetof(struct queue_day, wait_ms)},
	{"longestWaitTodayMs", offsetof(struct queue_day, wait_max_ms)},
};

#define DAY_FIELDS (sizeof(day_fields) / sizeof(day_fields[0]))

static int64_t *day_value(struct queue_day *day, size_t field)
{
	return (int64_t *)(void *)((char *)day + day_fields[field].offset);
}

void model_queue_fields(struct model *model, struct queue *queue, model_field_fn *fn, void *context)
{
	struct view view = {fn, context, {0}};

	put(&view, "name", queue->name);
	put(&view, "pbx", model->settings->pbx);
	put_int(&view, "waiting", (int64_t)queue->caller_count);
	put_int(&view, "longestSinceAt", queue->caller_count > 0 ? queue->callers[0].joined_at : 0);
	put_int(&view, "available", available(queue));
	put_callers(&view, queue);
	put_members(&view, queue);
	for (size_t i = 0; i < DAY_FIELDS; i++)
		put_int(&view, day_fields[i].name, *day_value(&queue->today, i));
	buffer_free(&view.text);
}

const char *model_queue_name(const struct queue *queue)
{
	return queue->name;
}

/* ---- for a restart ---- */

static void load_caller(struct queue *queue, const cJSON *object)
{
	const char *uniqueid = json_get_str(object, "uniqueid");
	const char *call_id = json_get_str(object, "callId");
	struct queue_caller *caller;

	if (uniqueid == NULL || call_id == NULL)
		return;
	caller = queue_caller_add(queue, uniqueid, call_id, 0);
	if (caller == NULL)
		return;
	caller->joined_at = json_get_int(object, "joinedAt", 0);
	if (json_get_str(object, "number") != NULL)
		model_copy(caller->number, sizeof(caller->number), json_get_str(object, "number"));
}

static void copy_str(char *out, size_t size, const cJSON *object, const char *key)
{
	const char *text = json_get_str(object, key);

	model_copy(out, size, text != NULL ? text : "");
}

static void load_member(struct queue *queue, const cJSON *object)
{
	const char *interface = json_get_str(object, "interface");
	struct queue_member *member = interface != NULL ? queue_member_add(queue, interface) : NULL;
	const char *status = json_get_str(object, "deviceState");
	int known;

	if (member == NULL)
		return;
	copy_str(member->name, sizeof(member->name), object, "name");
	copy_str(member->extension, sizeof(member->extension), object, "extension");
	copy_str(member->reason, sizeof(member->reason), object, "reason");
	copy_str(member->membership, sizeof(member->membership), object, "membership");
	known = status != NULL ? name_index(status_names,
					    sizeof(status_names) / sizeof(status_names[0]), status)
			       : 0;
	member->status = known > 0 ? known : 0;
	member->paused = json_get_bool(object, "paused", false);
	member->in_call = json_get_bool(object, "inCall", false);
	member->penalty = json_get_int(object, "penalty", 0);
	member->calls_taken = json_get_int(object, "callsTaken", 0);
	member->last_call_at = json_get_int(object, "lastCallAt", 0);
	member->login_at = json_get_int(object, "loginAt", 0);
	member->wrap_up_s = json_get_int(object, "wrapUpS", 0);
}

static void load_list(struct queue *queue, const char *text,
		      void (*load)(struct queue *, const cJSON *))
{
	const char *error;
	cJSON *list = json_parse(text, strlen(text), &error);
	const cJSON *item;

	cJSON_ArrayForEach(item, list) load(queue, item);
	cJSON_Delete(list);
}

void model_load_queue_field(struct model *model, const char *name, const char *field,
			    const char *value)
{
	struct queue *queue = queue_get(model, name);

	if (queue == NULL)
		return;
	queue->snapshot = 1; /* it is known */
	if (strcmp(field, "callers") == 0)
		load_list(queue, value, load_caller);
	else if (strcmp(field, "members") == 0)
		load_list(queue, value, load_member);
	for (size_t i = 0; i < DAY_FIELDS; i++)
		if (strcmp(field, day_fields[i].name) == 0)
			*day_value(&queue->today, i) = strtoll(value, NULL, 10);
}
