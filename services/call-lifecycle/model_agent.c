/* The phones of our own extensions: device state, and the call that they are in. */
#include "model_parts.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

static struct agent *agent_get(struct model *model, const char *extension)
{
	struct agent *agent = table_get(&model->agents, extension);

	if (agent == NULL) {
		agent = mem_new(struct agent);
		model_copy(agent->extension, sizeof(agent->extension), extension);
		model_copy(agent->device_state, sizeof(agent->device_state), "UNKNOWN");
		agent->since_at = model->now;
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
	effects->agents[effects->agent_count++] = (struct model_agent_change){
		.extension = agent->extension,
	};
}

/* To be kept, and to be told at the end of this entry. */
static void agent_changed(struct model *model, struct agent *agent)
{
	mark_changed(model, agent);
	if (agent->tell)
		return;
	if (model->told_count == TOLD_MAX)
		agents_flush(model);
	agent->tell = true;
	model->told[model->told_count++] = agent;
}

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
}

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
	extension = device + 6;
	if (strspn(extension, "0123456789") != strlen(extension) || extension[0] == '\0' ||
	    strlen(extension) >= PARTY_MAX || model->agents.used >= AGENTS_MAX)
		return;
	agent = agent_get(model, extension);
	if (strcmp(agent->device_state, state) == 0)
		return;
	model_copy(agent->device_state, sizeof(agent->device_state), state);
	agent->since_at = model->now;
	agent_changed(model, agent);
}

const char *agent_state(const struct agent *agent)
{
	const char *state = agent->device_state;

	if (strcmp(state, "NOT_INUSE") == 0)
		return "available";
	if (strcmp(state, "RINGING") == 0)
		return "ringing";
	if (strcmp(state, "UNAVAILABLE") == 0 || strcmp(state, "INVALID") == 0)
		return "offline";
	/* A device that says nothing is what its calls are. */
	if (strcmp(state, "UNKNOWN") == 0)
		return agent->call_id != NULL ? "busy" : "offline";
	return "busy";
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

void model_load_agent(struct model *model, const char *extension, const char *device_state,
		      const char *call_id, int64_t since_at)
{
	struct agent *agent;

	if (strlen(extension) >= PARTY_MAX)
		return;
	agent = agent_get(model, extension);
	model_copy(agent->device_state, sizeof(agent->device_state), device_state);
	free(agent->call_id);
	agent->call_id = call_id[0] != '\0' ? mem_strdup(call_id) : NULL;
	agent->since_at = since_at;
}
