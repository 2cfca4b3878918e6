/* What an agent is doing, and since when: pause, wrap-up, and the spans of the ledger. */
#include "model_parts.h"

#include "json.h"
#include "mem.h"
#include "zone.h"

#include <stdlib.h>
#include <string.h>

/* ---- the day ---- */

int64_t model_day(struct model *model, int64_t at)
{
	const char *zone = model->settings->zone != NULL ? model->settings->zone : "UTC";

	if (at < model->day_at || at >= model->day_until) {
		model->day_at = zone_begin(zone, ZONE_DAY, at);
		model->day_until = zone_next(zone, ZONE_DAY, at);
	}
	return model->day_at;
}

static void begin_day(struct agent *agent, int64_t day_at)
{
	if (agent->day_at == day_at)
		return;
	agent->day_at = day_at;
	agent->calls_today = agent->talk_today_ms = 0;
	memset(agent->time_today_ms, 0, sizeof(agent->time_today_ms));
}

void agent_day(struct model *model, struct agent *agent)
{
	begin_day(agent, model_day(model, model->now));
}

/* ---- states ---- */

static bool is_state(const struct agent *agent, const char *state)
{
	return strcmp(agent->device_state, state) == 0;
}

/* What the phone says. A device that says nothing is what its calls are. */
static enum agent_state phone_state(const struct agent *agent)
{
	if (is_state(agent, "UNAVAILABLE") || is_state(agent, "INVALID"))
		return AGENT_OFFLINE;
	if (is_state(agent, "UNKNOWN"))
		return agent->call_id != NULL ? AGENT_BUSY : AGENT_OFFLINE;
	if (is_state(agent, "RINGING"))
		return AGENT_RINGING;
	return is_state(agent, "NOT_INUSE") ? AGENT_AVAILABLE : AGENT_BUSY;
}

static enum agent_state state_of(struct model *model, const struct agent *agent,
				 const char **reason_r)
{
	enum agent_state state = phone_state(agent);

	*reason_r = "";
	if (state != AGENT_AVAILABLE)
		return state;
	if (agent->wrap_until != 0) {
		*reason_r = agent->wrap_queue;
		return AGENT_WRAP_UP;
	}
	if (agent->paused) {
		*reason_r = agent->pause_reason;
		return AGENT_PAUSED;
	}
	return queues_paused(model, agent, reason_r) ? AGENT_PAUSED : AGENT_AVAILABLE;
}

/* The span that ends at `at`, in the day's sums: of one that began before, today's part. */
static void close_span(struct model *model, struct agent *agent, int64_t at)
{
	int64_t day_at = model_day(model, at);
	int64_t from = agent->state_at > day_at ? agent->state_at : day_at;

	begin_day(agent, day_at);
	if (at > from)
		agent->time_today_ms[agent->state] += at - from;
}

static void settle(struct model *model, struct agent *agent, int64_t at)
{
	const char *reason;
	enum agent_state state = state_of(model, agent, &reason);
	struct agent before = *agent;

	if (state != agent->state || strcmp(reason, agent->reason) != 0) {
		char copy[sizeof(agent->reason)];

		model_copy(copy, sizeof(copy), reason);
		close_span(model, agent, at);
		agent->state = state;
		model_copy(agent->reason, sizeof(agent->reason), copy);
		agent->state_at = at;
	}
	agent_tell(model, agent, &before, at);
}

void agents_flush(struct model *model)
{
	for (size_t i = 0; i < model->told_count; i++) {
		model->told[i]->tell = false;
		settle(model, model->told[i], model->now);
	}
	model->told_count = 0;
}

/* ---- wrap-up ---- */

/* After the last line: however the caller went on, a transfer holds it up no more. */
void agent_wrap_up(struct model *model, struct agent *agent)
{
	int64_t span_ms = agent->serving[0] != '\0' ? queue_wrap_up_ms(model, agent) : 0;

	if (span_ms > 0) {
		if (agent->wrap_until == 0)
			model->wrapping++;
		agent->wrap_until = model->now + span_ms;
		model_copy(agent->wrap_queue, sizeof(agent->wrap_queue), agent->serving);
		model_check_by(model, agent->wrap_until);
		queues_pause_agent(model, agent, WRAP_UP_REASON);
	}
	agent->serving[0] = '\0';
	agent_changed(model, agent);
}

static void end_wrap_up(struct model *model, struct agent *agent)
{
	if (agent->wrap_until == 0)
		return;
	agent->wrap_until = 0;
	model->wrapping--;
	queues_unpause_agent(model, agent);
	agent_changed(model, agent);
}

void agents_tick(struct model *model)
{
	size_t cursor = 0;

	if (model->wrapping == 0)
		return;
	for (struct agent *agent; (agent = table_next(&model->agents, &cursor)) != NULL;) {
		int64_t until = agent->wrap_until;

		if (until == 0)
			continue;
		if (until > model->now) {
			model_check_by(model, until);
			continue;
		}
		end_wrap_up(model, agent);
		/* It may have ended while nobody looked. */
		settle(model, agent, until > agent->state_at ? until : agent->state_at);
	}
}

/* ---- pause ---- */

static bool take_pause(struct model *model, const cJSON *data)
{
	const char *extension = json_get_str(data, "agent");
	const char *reason = json_get_str(data, "reason");
	struct agent *agent;

	if (extension == NULL || !channel_is_number(extension) || strlen(extension) >= PARTY_MAX)
		return false;
	agent = agent_get(model, extension);
	agent->paused = json_get_bool(data, "paused", false);
	model_copy(agent->pause_reason, sizeof(agent->pause_reason),
		   agent->paused && reason != NULL ? reason : "");
	if (!agent->paused)
		end_wrap_up(model, agent);
	agent_changed(model, agent);
	return true;
}

/* Asterisk took what stands for a pause of ours: see agent_pause.c. */
void agent_as_told(struct model *model, const cJSON *data)
{
	if (!take_pause(model, data))
		model->counters.malformed++;
}
