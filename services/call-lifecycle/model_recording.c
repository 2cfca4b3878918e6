/* Recordings of a call: which channel is listened to, and what happens when that one leaves, or
   speaks with somebody else.

   What a channel hears goes to its MixMonitor through a translator that drops every frame whose RTP
   sequence number lies behind the last one (Asterisk 22). The next partner's numbers begin
   anywhere, so that in half of all transfers its voice would be missing for up to eleven minutes.
   The translator goes when nothing listens to the channel any more and a frame has passed: the
   recording is stopped, and goes on in the same file a moment later. */
#include "model_parts.h"

#include "json.h"
#include "mem.h"
#include "recording_path.h"

#include <stdlib.h>
#include <string.h>

#define TURN_MS 100  /* some frames */
#define STOP_MS 1000 /* an answer to the wish to stop never takes so long */

static struct recording *add(struct call *call, const char *id, struct channel *channel,
			     const char *by)
{
	struct recording *recording;

	if (call->recording_count == RECORDINGS_MAX)
		return NULL;
	if (call->recordings == NULL)
		call->recordings = mem_array(struct recording, RECORDINGS_MAX);
	recording = &call->recordings[call->recording_count++];
	*recording = (struct recording){.on = channel_ref(channel)};
	model_copy(recording->id, sizeof(recording->id), id);
	model_copy(recording->by, sizeof(recording->by), by);
	return recording;
}

static void tell(struct model *model, struct call *call, const struct recording *recording,
		 const char *word)
{
	struct note *note = note_add(model, NOTE_RECORDED, call);

	if (note == NULL)
		return;
	note->word = word;
	model_copy(note->party, sizeof(note->party), recording->id);
}

static void forget_heard(struct recording *recording)
{
	free(recording->heard);
	recording->heard = NULL;
}

static void end(struct model *model, struct call *call, struct recording *recording)
{
	bool was_asked = recording->state == RECORDING_ASKED;

	channel_unref(&recording->on);
	forget_heard(recording);
	if (recording->state == RECORDING_ENDED)
		return;
	recording->state = RECORDING_ENDED;
	recording->ended_at = model->now;
	if (!was_asked)
		tell(model, call, recording, "stopped");
	call_touch(model, call);
}

struct recording *recording_find(const struct call *call, const char *id)
{
	for (size_t i = 0; i < call->recording_count; i++)
		if (strcmp(call->recordings[i].id, id) == 0)
			return &call->recordings[i];
	return NULL;
}

/* Of the channel, not over. */
static struct recording *live(const struct channel *channel)
{
	const struct call *call = channel->call;

	for (size_t i = 0; i < call->recording_count; i++)
		if (call->recordings[i].on == channel)
			return &call->recordings[i];
	return NULL;
}

void on_mix_monitor_mute(struct model *model)
{
	struct channel *channel = channel_current(model);
	struct recording *recording = channel != NULL ? live(channel) : NULL;
	bool paused = entry_int(&model->entry, ENTRY_STATE, 0) != 0;

	if (recording == NULL || recording->state != (paused ? RECORDING_ON : RECORDING_PAUSED))
		return;
	recording->state = paused ? RECORDING_PAUSED : RECORDING_ON;
	tell(model, channel->call, recording, paused ? "paused" : "resumed");
}

void on_mix_monitor_stop(struct model *model)
{
	struct channel *channel = channel_current(model);
	struct recording *recording = channel != NULL ? live(channel) : NULL;

	if (recording == NULL)
		return;
	if (recording->state == RECORDING_TURNING) {
		recording->due_at = model->now + TURN_MS;
		call_check_by(model, channel->call, recording->due_at);
		call_touch(model, channel->call);
		return;
	}
	channel->call->recording_wanted = false;
	end(model, channel->call, recording);
}

/* One that is paused stays so, without a channel: what it must not hear it does not. */
void recordings_channel_gone(struct model *model, struct channel *channel)
{
	struct recording *recording = live(channel);

	if (recording == NULL)
		return;
	if (recording->state == RECORDING_PAUSED)
		channel_unref(&recording->on);
	else
		end(model, channel->call, recording);
}

/* It is in another call now, and what it records with it. */
void recordings_move(struct call *from, const struct channel *channel, struct call *to)
{
	for (size_t i = 0; i < from->recording_count; i++) {
		struct recording *old = &from->recordings[i], *moved;

		if (old->on != channel)
			continue;
		moved = add(to, old->id, old->on, old->by);
		if (moved == NULL)
			return;
		moved->state = old->state;
		moved->started_at = old->started_at;
		moved->due_at = old->due_at;
		moved->heard = old->heard;
		to->recording_wanted = from->recording_wanted;
		from->recording_wanted = false;
		channel_unref(&old->on);
		memmove(old, old + 1, (--from->recording_count - i) * sizeof(*old));
		return;
	}
}

static bool is_recorded(const struct call *call)
{
	for (size_t i = 0; i < call->recording_count; i++)
		if (call->recordings[i].state != RECORDING_ENDED)
			return true;
	return false;
}

/* Who talks, an outsider before one of ours: agents come and go. */
static struct channel *talker(const struct call *call)
{
	struct channel *found = NULL;

	for (size_t i = 0; i < call->segment_count; i++) {
		const struct segment *segment = call->segments[i];
		struct channel *a = channel_real(segment->a), *b = channel_real(segment->b);

		if (segment->phase != SEGMENT_TALKING || a == NULL || b == NULL)
			continue;
		found = b->external && b->call == call ? b : a;
		if (found->call == call && found->external)
			return found;
	}
	return found != NULL && found->call == call ? found : NULL;
}

/* Whom the channel talks with; the one that it talked with before, if that is among them. */
static const struct channel *partner(const struct recording *recording)
{
	const struct call *call = recording->on->call;
	const struct channel *found = NULL;

	for (size_t i = 0; i < call->segment_count; i++) {
		const struct segment *segment = call->segments[i];
		const struct channel *a = channel_real(segment->a), *b = channel_real(segment->b);

		if (segment->phase != SEGMENT_TALKING || (a != recording->on && b != recording->on))
			continue;
		found = a == recording->on ? b : a;
		if (found != NULL && recording->heard != NULL &&
		    strcmp(found->uniqueid, recording->heard) == 0)
			break;
	}
	return found;
}

/* Something is done for the channel: it does not just hang up as the other one did. */
static bool goes_on(const struct channel *channel)
{
	const struct call *call = channel->call;

	for (size_t i = 0; i < call->segment_count; i++)
		if (segment_has(call->segments[i], channel))
			return true;
	return false;
}

/* One that is paused waits for its resumption without a channel. */
static void turn(struct model *model, struct call *call, struct recording *recording)
{
	order_add(model, ORDER_STOP_RECORD, recording->on, NULL);
	call_touch(model, call);
	forget_heard(recording);
	if (recording->state == RECORDING_PAUSED) {
		channel_unref(&recording->on);
		return;
	}
	recording->state = RECORDING_TURNING;
	recording->due_at = model->now + STOP_MS;
	call_check_by(model, call, recording->due_at);
}

/* Its channel speaks with another one than before, or will. */
static void settle_partner(struct model *model, struct call *call, struct recording *recording)
{
	const struct channel *now = partner(recording);

	if (recording->heard == NULL) {
		recording->heard = now != NULL ? mem_strdup(now->uniqueid) : NULL;
		return;
	}
	if (now != NULL ? strcmp(now->uniqueid, recording->heard) != 0
			: table_get(&model->channels, recording->heard) == NULL &&
				  goes_on(recording->on))
		turn(model, call, recording);
}

static bool may_begin(const struct call *call, const char *id)
{
	const struct recording *known = recording_find(call, id);

	return recording_id_is_valid(id) && (known == NULL || known->state == RECORDING_ASKED ||
					     known->state == RECORDING_TURNING);
}

/* Asterisk has begun to write the file. */
void recording_begin(struct model *model, struct call *call, const char *id, const char *uniqueid,
		     const char *by)
{
	struct channel *channel = table_get(&model->channels, uniqueid);
	struct recording *recording;

	if (channel != NULL)
		call = channel->call;
	if (call == NULL || !may_begin(call, id))
		return;
	recording = recording_find(call, id);
	if (recording == NULL)
		recording = add(call, id, channel, by);
	if (recording == NULL)
		return;
	/* What was paused on a channel that left goes on here. */
	for (size_t i = 0; i < call->recording_count; i++)
		if (call->recordings[i].state == RECORDING_PAUSED && call->recordings[i].on == NULL)
			end(model, call, &call->recordings[i]);
	recording->state = RECORDING_ON;
	if (recording->started_at == 0) {
		recording->started_at = model->now;
		call->recording_wanted = true;
		tell(model, call, recording, "started");
	}
	call_touch(model, call);
	if (channel == NULL)
		end(model, call, recording);
	else
		settle_partner(model, call, recording);
}

static void settle_turn(struct model *model, struct call *call, struct recording *recording)
{
	if (recording->due_at == 0)
		return;
	if (model->now < recording->due_at) {
		call_check_by(model, call, recording->due_at);
		return;
	}
	recording->due_at = 0;
	call_touch(model, call);
	order_add(model, ORDER_RECORD, recording->on, recording->id)->append = true;
}

static void settle_recording(struct model *model, struct call *call, struct recording *recording)
{
	if (recording->on == NULL)
		return;
	if (recording->state == RECORDING_TURNING)
		settle_turn(model, call, recording);
	else if (recording->state == RECORDING_ON || recording->state == RECORDING_PAUSED)
		settle_partner(model, call, recording);
}

/* The channel that was listened to has left, and others go on talking: one of them from now on. */
static void settle_next_part(struct model *model, struct call *call)
{
	const struct recording *last;
	struct channel *channel;
	char id[RECORDING_ID_MAX + 1];

	if (!call->recording_wanted || call->recording_count == 0 || is_recorded(call))
		return;
	channel = talker(call);
	if (channel == NULL)
		return;
	last = &call->recordings[call->recording_count - 1];
	recording_next_part(last->id, id);
	if (add(call, id, channel, last->by) == NULL)
		return;
	call->recordings[call->recording_count - 1].state = RECORDING_ASKED;
	order_add(model, ORDER_RECORD, channel, id);
}

void recordings_settle(struct model *model, struct call *call)
{
	for (size_t i = 0; i < call->recording_count; i++)
		settle_recording(model, call, &call->recordings[i]);
	settle_next_part(model, call);
}

void recordings_end(struct model *model, struct call *call)
{
	for (size_t i = 0; i < call->recording_count; i++)
		end(model, call, &call->recordings[i]);
}

static void begin_as_told(struct model *model, const char *call_id, const cJSON *data)
{
	const char *id = json_get_str(data, "recordingId");
	const char *uniqueid = json_get_str(data, "uniqueid");
	const char *by = json_get_str(data, "by");

	if (id != NULL && uniqueid != NULL)
		recording_begin(model, call_of_linkedid(model, call_id), id, uniqueid,
				by != NULL ? by : "");
}

static void mute_as_told(struct model *model, const cJSON *data)
{
	const char *uniqueid = json_get_str(data, "uniqueid");
	struct channel *channel = uniqueid != NULL ? table_get(&model->channels, uniqueid) : NULL;

	if (channel == NULL)
		return;
	channel->muted = json_get_bool(data, "muted", false);
	call_touch(model, channel->call);
}

/* An action that Asterisk took, and that no event of its own tells. */
void on_mayday_done(struct model *model)
{
	const char *call_id = entry_text(&model->entry, ENTRY_MAYDAY_CALL_ID);
	const char *action = entry_text(&model->entry, ENTRY_MAYDAY_ACTION);
	const struct entry_value *value = &model->entry.values[ENTRY_MAYDAY_DATA];
	const char *error;
	cJSON *data;

	if (call_id == NULL || action == NULL || value->text == NULL)
		return;
	data = json_parse(value->text, value->len, &error);
	if (strcmp(action, "MixMonitor") == 0)
		begin_as_told(model, call_id, data);
	else if (strcmp(action, "MuteAudio") == 0)
		mute_as_told(model, data);
	else if (strcmp(action, "Hangup") == 0)
		hangup_as_told(model, call_id, data);
	else if (strcmp(action, "UserEvent") == 0)
		agent_as_told(model, data);
	cJSON_Delete(data);
}
