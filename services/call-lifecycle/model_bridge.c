#include "model_parts.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 64 /* channels looked at in one search */

static struct bridge *bridge_get(struct model *model, const char *id)
{
	struct bridge *bridge = table_get(&model->bridges, id);

	if (bridge == NULL) {
		bridge = mem_new(struct bridge);
		bridge->id = mem_strdup(id);
		table_put(&model->bridges, bridge->id, bridge);
	}
	return bridge;
}

/* An empty bridge is nothing to the model: it comes back with its next channel. */
static void bridge_drop_empty(struct model *model, struct bridge *bridge)
{
	if (bridge->channels != NULL)
		return;
	table_remove(&model->bridges, bridge->id);
	free(bridge->id);
	free(bridge);
}

void bridge_leave(struct model *model, struct channel *channel)
{
	struct bridge *bridge = channel->bridge;
	struct channel **link;

	if (bridge == NULL)
		return;
	for (link = &bridge->channels; *link != channel;)
		link = &(*link)->bridge_next;
	*link = channel->bridge_next;
	channel->bridge = NULL;
	channel->bridge_next = NULL;
	for (struct channel *left = bridge->channels; left != NULL; left = left->bridge_next)
		call_touch(model, left->call);
	bridge_drop_empty(model, bridge);
}

void bridge_enter(struct model *model, struct channel *channel, const char *id)
{
	struct bridge *bridge;

	if (channel->bridge != NULL && strcmp(channel->bridge->id, id) == 0)
		return;
	bridge_leave(model, channel);
	bridge = bridge_get(model, id);
	channel->bridge = bridge;
	channel->bridge_next = bridge->channels;
	bridge->channels = channel;
	channel->our_hold_at = 0;
	for (struct channel *with = bridge->channels; with != NULL; with = with->bridge_next)
		call_touch(model, with->call);
}

static size_t add(struct channel **seen, size_t count, struct channel *channel)
{
	for (size_t i = 0; i < count; i++)
		if (seen[i] == channel)
			return count;
	if (count < GROUP_MAX)
		seen[count++] = channel;
	return count;
}

/* Everything that is joined with channel, over bridges and Local pairs; seen holds GROUP_MAX. */
static size_t reach(struct channel *channel, struct channel **seen)
{
	size_t count = add(seen, 0, channel);

	for (size_t i = 0; i < count; i++) {
		struct bridge *bridge = seen[i]->bridge;

		if (seen[i]->other != NULL)
			count = add(seen, count, seen[i]->other);
		if (bridge == NULL || bridge->parking)
			continue;
		for (struct channel *with = bridge->channels; with != NULL;
		     with = with->bridge_next)
			count = add(seen, count, with);
	}
	return count;
}

bool channels_joined(const struct channel *a, const struct channel *b)
{
	struct channel *seen[GROUP_MAX];
	size_t count;

	if (a->bridge != NULL && a->bridge == b->bridge)
		return !a->bridge->parking;
	if (a->bridge == NULL || b->bridge == NULL)
		return false;
	count = reach((struct channel *)a, seen);
	for (size_t i = 0; i < count; i++)
		if (seen[i] == b)
			return true;
	return false;
}

size_t channel_group(struct channel *channel, struct channel **out, size_t max)
{
	struct channel *seen[GROUP_MAX];
	size_t found = 0;
	size_t count;

	if (channel->bridge == NULL)
		return 0;
	count = reach(channel, seen);
	for (size_t i = 0; i < count && found < max; i++)
		if (!seen[i]->local && seen[i]->bridge != NULL)
			out[found++] = seen[i];
	return found;
}

void on_bridge_enter(struct model *model)
{
	struct channel *channel = channel_current(model);
	const char *id = entry_text(&model->entry, ENTRY_BRIDGE_UNIQUEID);
	const char *type = entry_text(&model->entry, ENTRY_BRIDGE_TYPE);
	const char *creator = entry_text(&model->entry, ENTRY_BRIDGE_CREATOR);

	if (channel == NULL || id == NULL)
		return;
	bridge_enter(model, channel, id);
	channel->bridge->parking = type != NULL && strcmp(type, "parking") == 0;
	channel->bridge->conference = creator != NULL && strcmp(creator, "ConfBridge") == 0;
}

void on_bridge_leave(struct model *model)
{
	struct channel *channel = channel_current(model);
	const char *id = entry_text(&model->entry, ENTRY_BRIDGE_UNIQUEID);

	if (channel != NULL && id != NULL && channel->bridge != NULL &&
	    strcmp(channel->bridge->id, id) == 0)
		bridge_leave(model, channel);
}

void on_bridge_destroy(struct model *model)
{
	const char *id = entry_text(&model->entry, ENTRY_BRIDGE_UNIQUEID);
	struct bridge *bridge = id != NULL ? table_get(&model->bridges, id) : NULL;

	/* Its last channel's BridgeLeave may have been lost: the bridge goes with bridge_leave().
	 */
	for (struct channel *next, *channel = bridge != NULL ? bridge->channels : NULL;
	     channel != NULL; channel = next) {
		next = channel->bridge_next;
		call_touch(model, channel->call);
		bridge_leave(model, channel);
	}
}

void on_local_bridge(struct model *model)
{
	struct channel *one = channel_of(model, ENTRY_LOCAL_ONE_UNIQUEID, ENTRY_LOCAL_ONE_CHANNEL);
	struct channel *two = channel_of(model, ENTRY_LOCAL_TWO_UNIQUEID, ENTRY_LOCAL_TWO_CHANNEL);

	if (one == NULL || two == NULL || one == two || one->other != NULL || two->other != NULL)
		return;
	one->other = channel_ref(two);
	two->other = channel_ref(one);
	call_touch(model, one->call);
	call_touch(model, two->call);
}
