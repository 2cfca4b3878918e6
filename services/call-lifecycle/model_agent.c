/* The phones of our own extensions: device state, the call that they are in, pause and wrap-up; and
   the ledger: how long each agent was in which state. */
#include "model_parts.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

const char *const agent_state_names[AGENT_STATES] = {
	[AGENT_OFFLINE] = "offline", [AGENT_AVAILABLE] = "available", [AGENT_RINGING] = "ringing",
	[AGENT_BUSY] = "busy",       [AGENT_WRAP_UP] = "wrap_up",     [AGENT_PAUSED] = "paused",
};

struct agent *agent_get(struct model *model, const char *extension)
{
	struct agent *agent = table_get(&model->agents, extension);

	if (agent == NULL) {
		agent = mem_new(struct agent);
		model_copy(agent->extension, sizeof(agent->extension), extension);
		model_copy(agent->device_state, sizeof(agent->device_state), "UNKNOWN");
		agent->device_at = agent->state_at = model->now;
		table_put(&model->agents, agent->extension, agent);
	}
	return agent;
}

static void mark_changed(struct model *model, struct agent *agent)
{
	struct model_effects *effects = &model->effects;

	if (agent->changed)
		return;
	agent->changed = true;
	if (effects->agent_count == model->agent_cap) {
		model->agent_cap = model->agent_cap * 2 + 64;
		effects->agents =
			mem_grow(effects->agents, model->agent_cap * sizeof(*effects->agents));
	}
	agent->number = effects->agent_count;
	effects->agents[effects->agent_count++] = agent;
}

void agent_changed(struct model *model, struct agent *agent)
{
	mark_changed(model, agent);
	if (agent->tell)
		return;
	if (model->told_count == TOLD_MAX)
		agents_flush(model);
	agent->tell = true;
	model->told[model->told_count++] = agent;
}

/* ---- calls ---- */

static void set_call(struct model *model, struct agent *agent, const char *id)
{
	const char *before = agent->call_id != NULL ? agent->call_id : "";

	if (strcmp(before, id != NULL ? id : "") == 0)
		return;
	free(agent->call_id);
	agent->call_id = mem_strdup(id);
	agent_changed(model, agent);
}

static bool is_ours(const struct channel *channel)
{
	return !channel->local && !channel->external && channel->party[0] != '\0';
}

void agent_channel_added(struct model *model, const struct channel *channel)
{
	struct agent *agent;

	if (!is_ours(channel))
		return;
	agent = agent_get(model, channel->party);
	agent->lines++;
	set_call(model, agent, channel->call->id);
}

void agent_channel_moved(struct model *model, const struct channel *channel)
{
	if (is_ours(channel))
		set_call(model, agent_get(model, channel->party), channel->call->id);
}

void agent_line_loaded(struct model *model, const struct channel *channel)
{
	if (is_ours(channel))
		agent_get(model, channel->party)->lines++;
}

/* Its other line, when it has one. */
static const struct channel *other_line(const struct model *model, const struct channel *gone)
{
	const struct channel *found = NULL;
	size_t cursor = 0;

	for (const struct channel *channel;
	     (channel = table_next(&model->channels, &cursor)) != NULL;)
		if (channel != gone && is_ours(channel) &&
		    strcmp(channel->party, gone->party) == 0 &&
		    (found == NULL || channel->serial > found->serial))
			found = channel;
	return found;
}

void agent_channel_gone(struct model *model, const struct channel *channel)
{
	const struct channel *line;
	struct agent *agent;

	if (!is_ours(channel))
		return;
	agent = agent_get(model, channel->party);
	if (agent->lines > 0)
		agent->lines--;
	line = agent->lines > 0 ? other_line(model, channel) : NULL;
	set_call(model, agent, line != NULL ? line->call->id : NULL);
	if (agent->lines == 0)
		agent_wrap_up(model, agent);
}

/* Who is rung by a queue, or is given one of its callers, serves it. */
void agent_connected(struct model *model, const struct segment *segment)
{
	const struct channel *sides[2] = {channel_real(segment->a), channel_real(segment->b)};
	const char *queue = segment->queue != NULL ? segment->queue : segment->call->queue;

	for (size_t i = 0; i < 2; i++) {
		struct agent *agent;

		if (sides[i] == NULL || !is_ours(sides[i]))
			continue;
		agent = agent_get(model, sides[i]->party);
		agent_day(model, agent);
		agent->calls_today++;
		if (i == 1 && segment->kind != SEGMENT_CONSULTATION &&
		    sides[1] != segment->call->origin)
			model_copy(agent->serving, sizeof(agent->serving), queue);
		agent_changed(model, agent);
	}
}

void agent_talked(struct model *model, const struct segment *segment, int64_t ms)
{
	const struct channel *sides[2] = {channel_real(segment->a), channel_real(segment->b)};

	for (size_t i = 0; i < 2; i++) {
		struct agent *agent;

		if (sides[i] == NULL || !is_ours(sides[i]))
			continue;
		agent = agent_get(model, sides[i]->party);
		agent_day(model, agent);
		agent->talk_today_ms += ms;
		agent_changed(model, agent);
	}
}

/* ---- devices ---- */

/* Asterisk has no channel left on this device: a torn Hangup was right. */
static void believe_suspects(struct model *model, const char *device)
{
	size_t len = strlen(device);
	struct channel *found;

	do {
		size_t cursor = 0;

		while ((found = table_next(&model->channels, &cursor)) != NULL)
			if (found->suspect && strncmp(found->name, device, len) == 0 &&
			    found->name[len] == '-')
				break;
		if (found != NULL)
			channel_gone(model, found);
	} while (found != NULL);
}

static bool is_free(const char *state)
{
	return strcmp(state, "NOT_INUSE") == 0 || strcmp(state, "UNAVAILABLE") == 0 ||
	       strcmp(state, "INVALID") == 0;
}

const char *device_extension(const char *device)
{
	const char *extension = device + 6;

	if (strncmp(device, "PJSIP/", 6) != 0 || extension[0] == '\0' ||
	    strspn(extension, "0123456789") != strlen(extension) || strlen(extension) >= PARTY_MAX)
		return NULL;
	return extension;
}

bool device_is_registered(const char *device_state)
{
	return strcmp(device_state, "UNAVAILABLE") != 0 && strcmp(device_state, "INVALID") != 0 &&
	       strcmp(device_state, "UNKNOWN") != 0;
}

/* Of a phone that was never here somebody else tells. */
static bool is_elsewhere(struct model *model, const char *extension, const char *state)
{
	return model->settings->is_one_of_many && !device_is_registered(state) &&
	       table_get(&model->agents, extension) == NULL;
}

void on_device_state(struct model *model)
{
	const char *device = entry_text(&model->entry, ENTRY_DEVICE);
	const char *state = entry_text(&model->entry, ENTRY_STATE);
	const char *extension;
	struct agent *agent;

	if (device == NULL || state == NULL || strncmp(device, "PJSIP/", 6) != 0)
		return;
	if (model->suspects > 0 && is_free(state))
		believe_suspects(model, device);
	extension = device_extension(device);
	if (extension == NULL || model->agents.used >= AGENTS_MAX ||
	    is_elsewhere(model, extension, state))
		return;
	agent = agent_get(model, extension);
	if (strcmp(agent->device_state, state) == 0)
		return;
	model_copy(agent->device_state, sizeof(agent->device_state), state);
	agent->device_at = model->now;
	agent->device_changed = true;
	agent_changed(model, agent);
}

void agents_free(struct model *model)
{
	size_t cursor = 0;

	for (struct agent *agent; (agent = table_next(&model->agents, &cursor)) != NULL;) {
		free(agent->call_id);
		free(agent);
	}
	table_free(&model->agents);
}
