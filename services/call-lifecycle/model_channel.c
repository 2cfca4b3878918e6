#include "model_parts.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* Pseudo channels of Asterisk's own: nobody is at their end. */
static const char *const ignored_technologies[] = {
	"Announcer/", "AsyncGoto/", "Bridge/",   "CBAnn/", "CBRec/",
	"Message/",   "Playback/",  "Recorder/", "Snoop/", "Surrogate/",
};

bool channel_name_ignored(const char *name)
{
	for (size_t i = 0; i < sizeof(ignored_technologies) / sizeof(*ignored_technologies); i++)
		if (strncmp(name, ignored_technologies[i], strlen(ignored_technologies[i])) == 0)
			return true;
	return false;
}

struct channel *channel_ref(struct channel *channel)
{
	if (channel != NULL)
		channel->refs++;
	return channel;
}

void channel_unref(struct channel **channel)
{
	struct channel *old = *channel;

	*channel = NULL;
	if (old == NULL || --old->refs > 0)
		return;
	free(old->uniqueid);
	free(old->name);
	free(old->caller_name);
	free(old->origin_call);
	free(old);
}

char *channel_endpoint(const struct channel *channel)
{
	const char *slash = strchr(channel->name, '/');
	const char *start = slash != NULL ? slash + 1 : channel->name;
	const char *end = strrchr(start, '-');

	return end != NULL ? mem_strndup(start, (size_t)(end - start)) : mem_strdup(start);
}

/* "PJSIP/1001-0000000f" is extension 1001, "PJSIP/trunk-00000010" somebody outside,
   "Local/1001@from-internal-00000003;1" half of a pair that leads to 1001. */
static void read_name(struct channel *channel)
{
	const char *start = strchr(channel->name, '/');
	const char *end;
	size_t len;

	start = start != NULL ? start + 1 : channel->name;
	channel->local = strncmp(channel->name, "Local/", 6) == 0;
	end = channel->local ? strchr(start, '@') : strrchr(start, '-');
	len = end != NULL ? (size_t)(end - start) : strlen(start);
	if (len >= PARTY_MAX)
		len = PARTY_MAX - 1;
	channel->external = !channel->local && strspn(start, "0123456789") < len;
	if (!channel->external) {
		memcpy(channel->party, start, len);
		channel->party[len] = '\0';
	}
}

struct channel *channel_new(struct model *model, const char *uniqueid, const char *name,
			    struct call *call)
{
	struct channel *channel = mem_new(struct channel);

	channel->refs = 1;
	channel->uniqueid = mem_strdup(uniqueid);
	channel->name = mem_strdup(name);
	channel->serial = ++model->serial;
	channel->created_at = model->now;
	channel->snapshot = model->snapshot;
	read_name(channel);
	table_put(&model->channels, channel->uniqueid, channel);
	table_put(&model->names, channel->name, channel);
	model->channel_count++;
	call_add_channel(model, call, channel);
	agent_channel_added(model, channel);
	return channel;
}

struct channel *channel_real(struct channel *channel)
{
	return channel != NULL && channel->real != NULL ? channel->real : channel;
}

bool channel_is_gone_id(const struct model *model, const char *uniqueid)
{
	return table_get(&model->gone_ids, uniqueid) != NULL;
}

void channel_remember_gone_id(struct model *model, const char *uniqueid)
{
	ring_add(model->gone, &model->gone_next, &model->gone_ids, uniqueid);
}

void channel_gone(struct model *model, struct channel *channel)
{
	struct call *call = channel->call;

	bridge_leave(model, channel);
	call_origin_gone(call, channel);
	if (channel->origin_call != NULL)
		call_origin_gone(table_get(&model->calls, channel->origin_call), channel);
	if (channel->suspect)
		model->suspects--;
	if (channel->other != NULL)
		channel_unref(&channel->other->other);
	channel_unref(&channel->other);
	if (channel->queued)
		queue_caller_left(model, channel, call_result_names[RESULT_RECONCILED]);
	segments_channel_gone(model, channel);
	recordings_channel_gone(model, channel);
	channel_unref(&channel->real);
	channel_unref(&channel->dialer);
	table_remove(&model->channels, channel->uniqueid);
	if (table_get(&model->names, channel->name) == channel)
		table_remove(&model->names, channel->name);
	channel_remember_gone_id(model, channel->uniqueid);
	model->channel_count--;
	call_remove_channel(call, channel);
	call_touch(model, call);
	agent_channel_gone(model, channel);
	channel_unref(&channel);
}

/* Events of one moment come out of order: a state never goes back. */
void channel_set_state(struct model *model, struct channel *channel, int64_t state)
{
	if (state <= (int64_t)channel->state || state > CHANNEL_UP)
		return;
	channel->state = (enum channel_state)state;
	if (channel->state == CHANNEL_UP && channel->up_at == 0)
		channel->up_at = model->now;
}

/* A uniqueid stands after everything that an outsider can write into an event: its last value is
   Asterisk's own. A name stands before: when it is repeated it proves nothing. */
struct channel *channel_of(struct model *model, enum entry_field uniqueid, enum entry_field name)
{
	const char *id = entry_text(&model->entry, uniqueid);
	const char *text = entry_text(&model->entry, name);
	struct channel *channel;

	if (id == NULL && text != NULL) {
		channel = table_get(&model->names, text);
		model->counters.torn++;
		return channel;
	}
	channel = id != NULL ? table_get(&model->channels, id) : NULL;
	if (channel == NULL) {
		model->counters.unknown++;
		return NULL;
	}
	if (text != NULL && !model->entry.values[name].repeated &&
	    strcmp(channel->name, text) != 0) {
		model->counters.forged++;
		return NULL;
	}
	return channel;
}

/* "h", "s" and "s-BUSY" are places in the dialplan, not numbers. */
bool channel_is_number(const char *exten)
{
	return exten != NULL && exten[0] != '\0' && strspn(exten, "0123456789*#+") == strlen(exten);
}

/* Asterisk says that the channel belongs to another call now. */
static void follow_linkedid(struct model *model, struct channel *channel)
{
	const char *linkedid = entry_text(&model->entry, ENTRY_LINKEDID);
	uint32_t seen;
	struct call *call;

	if (linkedid == NULL)
		return;
	seen = model_hash(linkedid);
	if (seen == channel->linkedid_seen)
		return;
	channel->linkedid_seen = seen;
	call = call_of_linkedid(model, linkedid);
	if (call != NULL && call != channel->call && call->state != CALL_ENDED)
		call_move_channel(model, channel, call);
}

/* It was sent elsewhere from our own hold. */
static void look_at_hold(struct model *model, struct channel *channel)
{
	const char *context = entry_text(&model->entry, ENTRY_CONTEXT);

	if (context != NULL && strcmp(context, HOLD_CONTEXT) != 0)
		channel->our_hold_at = 0;
}

struct channel *channel_current(struct model *model)
{
	struct channel *channel = channel_of(model, ENTRY_UNIQUEID, ENTRY_CHANNEL);
	const char *exten;

	if (channel == NULL)
		return NULL;
	channel_set_state(model, channel, entry_int(&model->entry, ENTRY_CHANNEL_STATE, 0));
	exten = entry_text(&model->entry, ENTRY_EXTEN);
	if (channel_is_number(exten))
		model_copy(channel->exten, sizeof(channel->exten), exten);
	if (channel->our_hold_at != 0)
		look_at_hold(model, channel);
	follow_linkedid(model, channel);
	call_touch(model, channel->call);
	return channel;
}
