/* Agents as others see them: agent:<extension>, agent:changed, and what a restart needs. */
#include "model_parts.h"

#include "json.h"
#include "mem.h"
#include "model_members.h"
#include "msg_agent_changed.h"
#include "msg_event.h"
#include "msg_extension_changed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static void lower(char *out, const char *text)
{
	while (*text != '\0') {
		*out++ = (char)(*text >= 'A' && *text <= 'Z' ? *text + 32 : *text);
		text++;
	}
	*out = '\0';
}

static bool is_registered(const struct agent *agent)
{
	return device_is_registered(agent->device_state);
}

static void add_event(struct model *model, enum model_topic topic, const struct agent *agent,
		      int64_t at, const char *type, const char *data)
{
	char key[64];
	struct msg_event event = {
		.event_type = type,
		.call_id = topic == MODEL_TOPIC_AGENT ? agent->call_id : NULL,
		.extension = agent->extension,
		.extensions_count = 1,
		.extensions = {agent->extension},
		.pbx = model->settings->pbx,
		.timestamp = at,
		.redis_key = key,
	};

	event.data.text = data;
	snprintf(key, sizeof(key), "agent:%s", agent->extension);
	event_add(model, topic, agent->number, &event);
}

static void tell_extension(struct model *model, const struct agent *agent, int64_t at)
{
	char device_state[sizeof(agent->device_state)];
	struct buffer data = {0};
	struct json_writer writer = json_writer_init(&data);
	const struct msg_extension_changed message = {
		.extension = agent->extension,
		.device_state = device_state,
		.registered = is_registered(agent),
		.since_at = agent->device_at,
	};

	lower(device_state, agent->device_state);
	msg_extension_changed_write(&message, &writer);
	add_event(model, MODEL_TOPIC_EXTENSION, agent, at, "extension:changed", buffer_str(&data));
	buffer_free(&data);
}

/* A change of state tells what was before: a span of the ledger. */
static void tell_state(struct model *model, const struct agent *agent, const struct agent *before,
		       int64_t at)
{
	bool ends = agent->state_at != before->state_at || agent->state != before->state;
	char device_state[sizeof(agent->device_state)];
	struct buffer data = {0};
	struct json_writer writer = json_writer_init(&data);
	const struct msg_agent_changed message = {
		.extension = agent->extension,
		.device_state = device_state,
		.state = agent_state_names[agent->state],
		.reason = or_null(agent->reason),
		.call_id = agent->call_id,
		.has_since_at = true,
		.since_at = agent->state_at,
		.has_wrap_up_until_at = agent->wrap_until != 0,
		.wrap_up_until_at = agent->wrap_until,
		.previous_state = ends ? agent_state_names[before->state] : NULL,
		.previous_reason = ends ? or_null(before->reason) : NULL,
		.has_previous_at = ends,
		.previous_at = before->state_at,
	};

	lower(device_state, agent->device_state);
	msg_agent_changed_write(&message, &writer);
	add_event(model, MODEL_TOPIC_AGENT, agent, at, "agent:changed", buffer_str(&data));
	buffer_free(&data);
}

/* Sums alone are no news. */
static bool is_news(struct agent *agent)
{
	char *text = mem_printf("%d %s %s %s %lld", (int)agent->state, agent->reason,
				agent->device_state, agent->call_id != NULL ? agent->call_id : "",
				(long long)agent->wrap_until);
	uint32_t told = model_hash(text);
	bool news = told != agent->told;

	agent->told = told;
	free(text);
	return news;
}

void agent_tell(struct model *model, struct agent *agent, const struct agent *before, int64_t at)
{
	if (agent->device_changed)
		tell_extension(model, agent, at);
	agent->device_changed = false;
	if (is_news(agent) || agent->state_at != before->state_at)
		tell_state(model, agent, before, at);
}

/* ---- agent:<extension> ---- */

struct view {
	model_field_fn *fn;
	void *context;
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

static void put_times(struct view *view, const struct agent *agent)
{
	struct buffer text = {0};
	struct json_writer writer = json_writer_init(&text);

	json_begin_object(&writer);
	for (int i = 0; i < AGENT_STATES; i++)
		json_field_int(&writer, agent_state_names[i], agent->time_today_ms[i]);
	json_end_object(&writer);
	put(view, "timeToday", buffer_str(&text));
	buffer_free(&text);
}

static void put_queues(struct view *view, struct model *model, const struct agent *agent)
{
	struct buffer text = {0};
	struct json_writer writer = json_writer_init(&text);

	queues_of_agent_write(model, agent, &writer);
	put(view, "queues", buffer_str(&text));
	buffer_free(&text);
}

void model_agent_fields(struct model *model, const struct agent *agent, model_field_fn *fn,
			void *context)
{
	struct view view = {fn, context};

	put(&view, "extension", agent->extension);
	put(&view, "pbx", model->settings->pbx);
	put(&view, "deviceState", agent->device_state);
	put_int(&view, "deviceSinceAt", agent->device_at);
	put(&view, "registered", is_registered(agent) ? "1" : "0");
	put(&view, "state", agent_state_names[agent->state]);
	put_int(&view, "sinceAt", agent->state_at);
	put(&view, "stateReason", agent->reason);
	put(&view, "paused", agent->paused ? "1" : "0");
	put(&view, "pauseReason", agent->pause_reason);
	put(&view, "callId", agent->call_id != NULL ? agent->call_id : "");
	put_int(&view, "wrapUpUntilAt", agent->wrap_until);
	put_int(&view, "dayAt", agent->day_at);
	put_int(&view, "callsToday", agent->calls_today);
	put_int(&view, "talkTodayMs", agent->talk_today_ms);
	put_times(&view, agent);
	put_queues(&view, model, agent);
}

const char *model_agent_extension(const struct agent *agent)
{
	return agent->extension;
}

const char *model_agent_state(const struct agent *agent)
{
	return agent_state_names[agent->state];
}

/* ---- for a restart ---- */

void model_agent_save(const struct agent *agent, struct buffer *out)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_object(&writer);
	members_save(&writer, agent_members, agent);
	json_end_object(&writer);
}

/* As it was kept before there were pauses: "STATE since callId". */
static void load_old(struct agent *agent, const char *text)
{
	size_t len = strcspn(text, " ");
	char state[sizeof(agent->device_state)] = "";

	if (len == 0 || len >= sizeof(state) || text[len] == '\0')
		return;
	memcpy(state, text, len);
	model_copy(agent->device_state, sizeof(agent->device_state), state);
	agent->device_at = agent->state_at = strtoll(text + len, NULL, 10);
	text = strchr(text + len + 1, ' ');
	if (text != NULL && text[1] != '\0')
		agent->call_id = mem_strdup(text + 1);
}

void model_load_agent(struct model *model, const char *extension, const char *text, size_t len)
{
	const char *error;
	struct agent *agent;
	cJSON *object;

	if (strlen(extension) >= PARTY_MAX || table_get(&model->agents, extension) != NULL)
		return;
	agent = agent_get(model, extension);
	object = json_parse(text, len, &error);
	if (cJSON_IsObject(object))
		members_load(object, agent_members, agent);
	else
		load_old(agent, text);
	cJSON_Delete(object);
	if ((int)agent->state < 0 || agent->state >= AGENT_STATES)
		agent->state = AGENT_OFFLINE;
	if (agent->wrap_until != 0) {
		model->wrapping++;
		model_check_by(model, agent->wrap_until);
	}
}
