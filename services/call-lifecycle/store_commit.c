/* What a batch of entries caused, as one transaction. */
#include "store.h"

#include "clock.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "msg_ami_action.h"
#include "recording_path.h"
#include "resp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_S            86400 /* ended calls, and lists of calls */
#define EVENTS_KEEP_MS    86400000
#define PART_MAX          500 /* calls, and agents, in one transaction */
#define ORDER_DEADLINE_MS 10000

struct sender {
	struct redis_link *link;
	struct buffer command, fields;
	size_t field_count;
	bool failed;
};

char *store_source_stream(const char *pbx)
{
	return mem_printf("events:ami:%s", pbx);
}

char *store_lease_name(const char *pbx)
{
	return mem_printf("lifecycle:%s", pbx);
}

static void send_command(struct sender *sender, redis_reply_fn *fn, void *context)
{
	if (!sender->failed &&
	    redis_link_raw(sender->link, fn, context, buffer_str(&sender->command),
			   sender->command.len) < 0)
		sender->failed = true;
	buffer_clear(&sender->command);
}

static void send_words(struct sender *sender, size_t count, const char *const *words)
{
	resp_command(&sender->command, count, words, NULL);
	send_command(sender, NULL, NULL);
}

#define SEND(sender, ...)                                                                          \
	send_words(sender, sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *),           \
		   (const char *[]){__VA_ARGS__})

static void on_field(const char *name, const char *value, size_t len, void *context)
{
	struct sender *sender = context;

	resp_text(&sender->fields, name);
	resp_bulk(&sender->fields, value, len);
	sender->field_count++;
}

static void send_hash(struct sender *sender, const char *key)
{
	resp_array(&sender->command, 2 + sender->field_count * 2);
	resp_text(&sender->command, "HSET");
	resp_text(&sender->command, key);
	buffer_append(&sender->command, buffer_str(&sender->fields), sender->fields.len);
	send_command(sender, NULL, NULL);
	buffer_clear(&sender->fields);
	sender->field_count = 0;
}

static void send_new_extensions(struct sender *sender, const struct call *call,
				const char *started_at)
{
	const char *const *extensions;
	size_t saved, count = model_call_extensions(call, &extensions, &saved);
	char key[64], old[24];

	snprintf(old, sizeof(old), "%" PRId64, clock_wall_ms() - (int64_t)KEEP_S * 1000);
	for (size_t i = saved; i < count; i++) {
		snprintf(key, sizeof(key), "calls:of:%s", extensions[i]);
		SEND(sender, "ZADD", key, started_at, model_call_id(call));
		SEND(sender, "ZREMRANGEBYSCORE", key, "-inf", old);
		SEND(sender, "EXPIRE", key, "172800");
	}
}

static void send_recording(struct sender *sender, const char *pbx, const struct call *call,
			   const struct model_recording *recording)
{
	char started_at[24], ended_at[24] = "", duration[24] = "", path[RECORDING_PATH_MAX];
	char *key = mem_printf("recording:%s", recording->id);

	recording_path(recording->id, path);
	snprintf(started_at, sizeof(started_at), "%" PRId64, recording->started_at);
	if (recording->ended_at != 0) {
		snprintf(ended_at, sizeof(ended_at), "%" PRId64, recording->ended_at);
		snprintf(duration, sizeof(duration), "%" PRId64,
			 recording->ended_at - recording->started_at);
	}
	SEND(sender, "HSET", key, "recordingId", recording->id, "callId", model_call_id(call),
	     "pbx", pbx, "path", path, "state", recording->state, "startedAt", started_at,
	     "endedAt", ended_at, "durationMs", duration, "by", recording->by);
	SEND(sender, "ZADD", "recordings:kept", started_at, recording->id);
	if (recording->is_news)
		SEND(sender, "ZADD", "recordings:unsummed", ended_at, recording->id);
	free(key);
}

/* Who may hear it: the extensions of the call. */
static void send_recordings(struct sender *sender, const char *pbx, const struct call *call)
{
	struct model_recording recording;
	const char *const *extensions;
	struct buffer list = {0};
	struct json_writer writer = json_writer_init(&list);
	size_t saved, count = model_call_extensions(call, &extensions, &saved);

	json_begin_array(&writer);
	for (size_t i = 0; i < count; i++)
		json_str(&writer, extensions[i]);
	json_end_array(&writer);
	for (size_t i = 0; model_call_recording(call, i, &recording); i++) {
		char *key = mem_printf("recording:%s", recording.id);

		if (recording.started_at != 0) {
			send_recording(sender, pbx, call, &recording);
			SEND(sender, "HSET", key, "extensions", buffer_str(&list));
		}
		free(key);
	}
	buffer_free(&list);
}

static void send_call(struct sender *sender, const char *pbx, struct model *model,
		      const struct call *call)
{
	const char *id = model_call_id(call);
	char *key = mem_printf("call:%s", id);
	char live[40], started_at[24];

	snprintf(live, sizeof(live), "calls:live:%s", pbx);
	snprintf(started_at, sizeof(started_at), "%" PRId64, model_call_started_at(call));
	model_call_fields(model, call, on_field, sender);
	send_hash(sender, key);
	if (model_call_is_new(call)) {
		SEND(sender, "PERSIST", key);
		SEND(sender, "SADD", live, id);
		SEND(sender, "ZADD", "calls:recent", started_at, id);
	}
	send_new_extensions(sender, call, started_at);
	send_recordings(sender, pbx, call);
	if (model_call_ended(call)) {
		SEND(sender, "SREM", live, id);
		SEND(sender, "EXPIRE", key, "86400");
	}
	free(key);
}

static const struct {
	const char *stream, *channel;
} topics[] = {
	[MODEL_TOPIC_CALL] = {"events:call", "call:events"},
	[MODEL_TOPIC_AGENT] = {"events:agent", "agent:status"},
	[MODEL_TOPIC_EXTENSION] = {NULL, "extension:status"}, /* what it was is of no interest */
	[MODEL_TOPIC_QUEUE] = {"events:queue", "queue:activity"},
};

/* What is older than a day goes when something is added: once in a transaction is often enough. */
static void add_to_stream(struct sender *sender, const char *stream, const char *text, size_t len,
			  bool trim)
{
	char oldest[32];

	snprintf(oldest, sizeof(oldest), "%" PRId64, clock_wall_ms() - EVENTS_KEEP_MS);
	resp_array(&sender->command, trim ? 8 : 5);
	resp_text(&sender->command, "XADD");
	resp_text(&sender->command, stream);
	if (trim) {
		resp_text(&sender->command, "MINID");
		resp_text(&sender->command, "~");
		resp_text(&sender->command, oldest);
	}
	resp_text(&sender->command, "*");
	resp_text(&sender->command, "e");
	resp_bulk(&sender->command, text, len);
	send_command(sender, NULL, NULL);
}

static void send_event(struct sender *sender, enum model_topic topic, const char *text, size_t len,
		       bool trim)
{
	if (topics[topic].stream != NULL)
		add_to_stream(sender, topics[topic].stream, text, len, trim);
	resp_array(&sender->command, 3);
	resp_text(&sender->command, "PUBLISH");
	resp_text(&sender->command, topics[topic].channel);
	resp_bulk(&sender->command, text, len);
	send_command(sender, NULL, NULL);
}

/* From and up to which calls, agents and queues a part goes. */
struct range {
	struct store_part from, to;
};

static bool is_in(const struct range *range, const struct model_event *event)
{
	if (event->topic == MODEL_TOPIC_CALL)
		return event->owner >= range->from.calls && event->owner < range->to.calls;
	if (event->topic == MODEL_TOPIC_QUEUE)
		return event->owner >= range->from.queues && event->owner < range->to.queues;
	return event->owner >= range->from.agents && event->owner < range->to.agents;
}

static void send_events(struct sender *sender, const struct model_effects *effects,
			const struct range *range)
{
	bool trimmed[MODEL_TOPICS] = {false};

	for (size_t i = 0; i < effects->event_count; i++) {
		const struct model_event *event = &effects->events[i];

		if (!is_in(range, event))
			continue;
		send_event(sender, event->topic, effects->text.data + event->offset, event->len,
			   !trimmed[event->topic]);
		trimmed[event->topic] = true;
	}
}

/* agents:<pbx> is for a restart: what the model knew of the agent. */
static void send_agent(struct sender *sender, const char *pbx, struct model *model,
		       const struct agent *agent)
{
	const char *extension = model_agent_extension(agent);
	struct buffer all = {0};
	char key[64], list[40];

	snprintf(key, sizeof(key), "agent:%s", extension);
	snprintf(list, sizeof(list), "agents:%s", pbx);
	model_agent_fields(model, agent, on_field, sender);
	send_hash(sender, key);
	model_agent_save(agent, &all);
	SEND(sender, "HSET", list, extension, buffer_str(&all));
	buffer_free(&all);
}

static void send_queue(struct sender *sender, const char *pbx, struct model *model,
		       struct queue *queue)
{
	const char *name = model_queue_name(queue);
	char key[100], list[40];

	snprintf(key, sizeof(key), "queue:%s", name);
	snprintf(list, sizeof(list), "queues:%s", pbx);
	if (model_queue_is_gone(queue)) {
		SEND(sender, "DEL", key);
		SEND(sender, "SREM", list, name);
		return;
	}
	model_queue_fields(model, queue, on_field, sender);
	send_hash(sender, key);
	SEND(sender, "SADD", list, name);
}

static void write_field(struct json_writer *list, const char *name, const char *value)
{
	json_begin_array(list);
	json_str(list, name);
	json_str(list, value);
	json_end_array(list);
}

static void write_order(const struct model_order *order, struct buffer *fields, struct buffer *data)
{
	struct json_writer list = json_writer_init(fields), writer = json_writer_init(data);
	char path[RECORDING_PATH_MAX];

	json_begin_array(&list);
	if (order->kind == ORDER_PAUSE) {
		write_field(&list, "Queue", order->queue);
		write_field(&list, "Interface", order->channel);
		write_field(&list, "Paused", order->paused ? "true" : "false");
		write_field(&list, "Reason", order->reason);
	} else {
		write_field(&list, "Channel", order->channel);
	}
	if (order->kind == ORDER_RECORD) {
		recording_path(order->recording_id, path);
		write_field(&list, "File", path);
		if (order->append)
			write_field(&list, "options", "a");
		json_begin_object(&writer);
		json_field_str(&writer, "recordingId", order->recording_id);
		json_field_str(&writer, "uniqueid", order->uniqueid);
		json_end_object(&writer);
	}
	json_end_array(&list);
}

/* Part of the transaction: asked for once, whatever happens to this process. */
static void send_order(struct sender *sender, const char *pbx, const struct model_order *order)
{
	static const char *const names[] = {
		[ORDER_HANG_UP] = "Hangup",
		[ORDER_PAUSE] = "QueuePause",
		[ORDER_RECORD] = "MixMonitor",
		[ORDER_STOP_RECORD] = "StopMixMonitor",
	};
	struct buffer fields = {0}, data = {0}, text = {0};
	struct json_writer writer = json_writer_init(&text);
	char id[ID_RANDOM_LEN + 1], key[40];
	struct msg_ami_action action = {
		.id = id,
		.action = names[order->kind],
		.deadline_at = clock_wall_ms() + ORDER_DEADLINE_MS,
		.call_id = order->call_id,
	};

	id_random(id);
	snprintf(key, sizeof(key), "actions:%s", pbx);
	write_order(order, &fields, &data);
	action.fields.text = buffer_str(&fields);
	action.data.text = data.len > 0 ? buffer_str(&data) : NULL;
	msg_ami_action_write(&action, &writer);
	SEND(sender, "XADD", key, "*", "a", buffer_str(&text));
	buffer_free(&fields);
	buffer_free(&data);
	buffer_free(&text);
}

static void send_state(struct sender *sender, const char *pbx, const struct model *model,
		       const char *applied_id)
{
	char key[40], as_of[24];
	char *state = model_save(model);

	snprintf(key, sizeof(key), "lifecycle:%s", pbx);
	snprintf(as_of, sizeof(as_of), "%" PRId64, model_as_of(model));
	SEND(sender, "HSET", key, "appliedId", applied_id, "asOf", as_of, "stale",
	     model_is_stale(model) ? "1" : "0", "model", state);
	free(state);
}

static void send_trim(struct sender *sender, const struct model_effects *effects)
{
	char old[24];

	snprintf(old, sizeof(old), "%" PRId64, clock_wall_ms() - (int64_t)KEEP_S * 1000);
	if (effects->call_count > 0)
		SEND(sender, "ZREMRANGEBYSCORE", "calls:recent", "-inf", old);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Returns whether it reaches the end. */
static bool choose_range(const struct model_effects *effects, const struct store_part *part,
			 size_t max, struct range *range_r)
{
	range_r->from = *part;
	range_r->to.calls = least(part->calls + max, effects->call_count);
	range_r->to.agents = least(part->agents + max, effects->agent_count);
	range_r->to.queues = least(part->queues + max, effects->queue_count);
	return range_r->to.calls == effects->call_count &&
	       range_r->to.agents == effects->agent_count &&
	       range_r->to.queues == effects->queue_count;
}

static void send_last(struct sender *sender, const char *pbx, struct model *model,
		      const struct model_effects *effects, const char *applied_id)
{
	for (size_t i = 0; i < effects->order_count; i++)
		send_order(sender, pbx, &effects->orders[i]);
	send_trim(sender, effects);
	send_state(sender, pbx, model, applied_id);
}

int store_commit(struct redis_link *link, const char *pbx, struct model *model,
		 const char *applied_id, bool in_parts, struct store_part *part, redis_reply_fn *fn,
		 void *context)
{
	const struct model_effects *effects = model_effects(model);
	struct sender sender = {.link = link};
	struct range range;
	bool last = choose_range(effects, part, in_parts ? PART_MAX : SIZE_MAX / 2, &range);

	SEND(&sender, "MULTI");
	for (size_t i = range.from.calls; i < range.to.calls; i++)
		send_call(&sender, pbx, model, effects->calls[i]);
	for (size_t i = range.from.agents; i < range.to.agents; i++)
		send_agent(&sender, pbx, model, effects->agents[i]);
	for (size_t i = range.from.queues; i < range.to.queues; i++)
		send_queue(&sender, pbx, model, effects->queues[i]);
	send_events(&sender, effects, &range);
	if (last)
		send_last(&sender, pbx, model, effects, applied_id);
	resp_command(&sender.command, 1, (const char *[]){"EXEC"}, NULL);
	send_command(&sender, fn, context);
	buffer_free(&sender.command);
	buffer_free(&sender.fields);
	*part = last ? (struct store_part){0, 0, 0} : range.to;
	return sender.failed ? -1 : 0;
}
