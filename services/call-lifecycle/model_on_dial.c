/* Who dials whom, and what comes of it. */
#include "model_parts.h"

#include "json.h"
#include "mem.h"

#include <string.h>

/* An Originate that Asterisk never spoke of again. */
#define ORIGINATE_GRACE_MS   15000
#define ORIGINATE_TIMEOUT_MS 30000
/* One that was perhaps not sent: Asterisk makes the channel at once. */
#define ORIGINATE_UNSURE_MS 5000

static bool is_second_half(const struct channel *channel)
{
	size_t len = strlen(channel->name);

	return channel->local && len > 2 && strcmp(channel->name + len - 2, ";2") == 0;
}

/* "70100000001@trunk" dials that number by a trunk. */
static void set_dialled_number(struct model *model, struct channel *dest,
			       const struct channel *source)
{
	const char *dialled = entry_text(&model->entry, ENTRY_DIAL_STRING);
	const char *number = entry_text(&model->entry, ENTRY_DEST_CALLER_ID_NUM);

	if (dialled != NULL)
		model_copy(dest->party, sizeof(dest->party), dialled);
	dest->party[strcspn(dest->party, "@/")] = '\0';
	if (channel_is_number(dest->party))
		return;
	if (number == NULL && source != NULL)
		number = source->exten;
	model_copy(dest->party, sizeof(dest->party), number != NULL ? number : "");
}

/* It talked before: whom it dials now it was sent to. */
static const struct segment *talked_before(const struct channel *channel)
{
	const struct call *call = channel->call;

	for (size_t i = call->segment_count; i-- > 0;) {
		const struct segment *segment = call->segments[i];

		if (segment->connected && segment->kind != SEGMENT_CONSULTATION &&
		    (channel_real(segment->a) == channel || channel_real(segment->b) == channel))
			return segment;
	}
	return NULL;
}

static bool came_back_from_park(const struct channel *channel)
{
	const struct call *call = channel->call;
	const struct segment *last =
		call->segment_count > 0 ? call->segments[call->segment_count - 1] : NULL;

	return last != NULL && last->kind == SEGMENT_PARK && last->a == channel;
}

static void note_redirect(struct model *model, const struct channel *source,
			  const struct channel *dest)
{
	const struct segment *before = talked_before(source);
	const char *other = "";

	if (before != NULL)
		other = strcmp(before->from, source->party) == 0 ? before->to : before->from;
	call_add_transfer(model, source->call, "redirect", other, source->party, dest->party);
}

static void close_apart(struct model *model, const struct channel *channel)
{
	struct call *call = channel->call;

	for (size_t i = 0; i < call->segment_count; i++) {
		struct segment *segment = call->segments[i];
		bool served = segment->phase == SEGMENT_TALKING && segment->b == NULL;

		if ((segment->phase == SEGMENT_APART || served) && segment_has(segment, channel))
			segment_close(model, segment, RESULT_ANSWERED, 0);
	}
}

static struct segment *dial_again(struct model *model, struct channel *source, struct channel *dest)
{
	struct call *call = source->call;
	bool sent = (talked_before(source) != NULL && !came_back_from_park(source)) ||
		    source->redirected || call->transferring;

	close_apart(model, source);
	if (sent && !call->transferring && !source->queued && !source->asks && !source->returns)
		note_redirect(model, source, dest);
	sent = sent && !source->queued;
	call->transferring = false;
	source->redirected = false;
	source->returns = false;
	if (source->asks) {
		source->asks = false;
		return segment_open(model, call, SEGMENT_CONSULTATION, source, dest);
	}
	return segment_open(model, call, sent ? SEGMENT_TRANSFER : SEGMENT_DIAL, source, dest);
}

static struct segment *dial_plainly(struct model *model, struct channel *source,
				    struct channel *dest)
{
	struct segment *segment = segment_to(source->call, dest);

	if (segment != NULL)
		return segment;
	segment = source->redirected ? NULL : segment_unassigned(source->call, source);
	if (segment == NULL)
		return dial_again(model, source, dest);
	segment_assign(model, segment, dest);
	return segment;
}

/* A phone that shares the bridge with this Local half. */
static struct channel *phone_beside(struct channel *half)
{
	struct channel *group[2];
	size_t count = channel_group(half, group, 2);

	for (size_t i = 0; i < count; i++)
		if (group[i]->bridge == half->bridge)
			return group[i];
	return NULL;
}

static struct segment *consult(struct model *model, struct channel *source, struct channel *one,
			       struct channel *dest)
{
	const char *number = entry_text(&model->entry, ENTRY_CALLER_ID_NUM);
	struct channel *caller = one != NULL ? phone_beside(one) : NULL;
	bool asks = caller != NULL || source->call->answered_at != 0;
	struct segment *segment = segment_open(
		model, source->call, asks ? SEGMENT_CONSULTATION : SEGMENT_DIAL, caller, dest);

	if (segment != NULL && caller == NULL)
		model_copy(segment->from, sizeof(segment->from), number != NULL ? number : "");
	return segment;
}

/* The far half of a Local pair dials: the phone stands for the near half. */
static struct segment *dial_through(struct model *model, struct channel *source,
				    struct channel *dest)
{
	struct channel *one = source->other;
	struct segment *segment;

	if (one == NULL)
		return consult(model, source, NULL, dest);
	segment = segment_to(source->call, one);
	if (one->real == NULL && (segment != NULL || one->originated)) {
		one->real = channel_ref(dest);
		return segment;
	}
	if (segment != NULL)
		return segment_open(model, source->call, segment->kind, segment->a, dest);
	if (one->originated)
		return segment_open(model, source->call, SEGMENT_DIAL, NULL, dest);
	return consult(model, source, one, dest);
}

void on_dial_begin(struct model *model)
{
	struct channel *dest = channel_of(model, ENTRY_DEST_UNIQUEID, ENTRY_DEST_CHANNEL);
	struct channel *source = NULL;
	struct segment *segment;

	if (dest == NULL)
		return;
	channel_set_state(model, dest, entry_int(&model->entry, ENTRY_DEST_CHANNEL_STATE, 0));
	if (!entry_has(&model->entry, ENTRY_UNIQUEID)) {
		dest->originated = dest->call->originated;
		return;
	}
	source = channel_current(model);
	if (source == NULL || source == dest)
		return;
	channel_unref(&dest->dialer);
	dest->dialer = channel_ref(source);
	if (dest->external)
		set_dialled_number(model, dest, source);
	if (!is_second_half(source))
		call_dials(model, source->call);
	segment = is_second_half(source) ? dial_through(model, source, dest)
					 : dial_plainly(model, source, dest);
	if (segment == NULL)
		return;
	if (segment->kind != SEGMENT_CONSULTATION)
		call_set_to(source->call, segment->to, channel_real(segment->b));
	if (dest->state == CHANNEL_RINGING)
		segment_ring(model, segment);
}

void on_dial_state(struct model *model)
{
	struct channel *dest = channel_of(model, ENTRY_DEST_UNIQUEID, ENTRY_DEST_CHANNEL);
	const char *status = entry_text(&model->entry, ENTRY_DIAL_STATUS);
	struct segment *segment;

	if (dest == NULL || status == NULL ||
	    (strcmp(status, "RINGING") != 0 && strcmp(status, "PROGRESS") != 0))
		return;
	segment = segment_to(dest->call, dest);
	if (segment != NULL)
		segment_ring(model, segment);
	call_touch(model, dest->call);
}

static enum call_result result_of_dial(const char *status, const struct segment *segment,
				       const struct channel *dest)
{
	const struct channel *caller = channel_real(segment->a);
	bool gave_up = caller != NULL && (caller->hangup_requested || caller->call == NULL);

	if (strcmp(status, "BUSY") == 0)
		return RESULT_BUSY;
	if (strcmp(status, "CANCEL") == 0)
		return gave_up ? RESULT_CANCELLED : RESULT_NO_ANSWER;
	if (strcmp(status, "CHANUNAVAIL") == 0)
		return RESULT_UNREACHABLE;
	if (strcmp(status, "NOANSWER") != 0)
		return RESULT_FAILED;
	if (dest->cause == 0 || dest->cause == 16 || dest->cause == 127)
		return RESULT_NO_ANSWER;
	return result_of_cause(dest->cause);
}

/* Rings or talks elsewhere too: what was cancelled was one of several. */
static bool tries_others(const struct channel *caller)
{
	const struct call *call = caller->call;

	for (size_t i = 0; call != NULL && i < call->segment_count; i++) {
		const struct segment *segment = call->segments[i];

		if (segment->phase != SEGMENT_CLOSED && segment->b != NULL &&
		    segment->kind != SEGMENT_CONSULTATION && segment->a == caller)
			return true;
	}
	return false;
}

void on_dial_end(struct model *model)
{
	struct channel *dest = channel_of(model, ENTRY_DEST_UNIQUEID, ENTRY_DEST_CHANNEL);
	const char *status = entry_text(&model->entry, ENTRY_DIAL_STATUS);
	struct segment *segment;
	enum call_result result;

	if (dest == NULL || status == NULL)
		return;
	call_touch(model, dest->call);
	segment = segment_to(dest->call, dest);
	if (segment == NULL || segment->phase != SEGMENT_TRYING)
		return;
	if (strcmp(status, "ANSWER") == 0) {
		if (segment->answered_at == 0)
			segment->answered_at = model->now;
		return;
	}
	result = result_of_dial(status, segment, dest);
	segment_close(model, segment, result, dest->cause);
	if (strcmp(status, "CANCEL") == 0 && result == RESULT_NO_ANSWER && segment->a != NULL)
		segment->a->redirected = !segment->a->queued && !tries_others(segment->a);
}

/* The phone that was asked for: its channel, when there is one, else the number in our own request.
 */
static bool asked_for(const struct call *call, const char *channel)
{
	size_t len = strlen(channel);
	const char *slash = strchr(channel, '/');

	if (call->state != CALL_ORIGINATING)
		return false;
	if (call->origin != NULL)
		return strncmp(call->origin->name, channel, len) == 0 &&
		       call->origin->name[len] == '-';
	return slash != NULL && strcmp(call->from.number, slash + 1) == 0;
}

/* Asterisk names neither the call nor our action, only the phone: the oldest call that waits for
 * it. */
static struct call *originating_to(struct model *model, const char *channel)
{
	struct call *oldest = NULL;
	size_t cursor = 0;

	for (struct call *call; (call = table_next(&model->calls, &cursor)) != NULL;)
		if (asked_for(call, channel) && (oldest == NULL || call->serial < oldest->serial))
			oldest = call;
	return oldest;
}

static struct call *originate_call(struct model *model)
{
	const char *action = entry_text(&model->entry, ENTRY_ACTION_ID);
	const char *uniqueid = entry_text(&model->entry, ENTRY_UNIQUEID);
	const char *name = entry_text(&model->entry, ENTRY_CHANNEL);
	struct channel *channel = uniqueid != NULL ? table_get(&model->channels, uniqueid) : NULL;
	struct call *call = action != NULL ? table_get(&model->actions, action) : NULL;

	if (call != NULL || channel != NULL)
		return call != NULL ? call : channel->call;
	return uniqueid == NULL && name != NULL ? originating_to(model, name) : NULL;
}

static enum call_result result_of_reason(int64_t reason)
{
	switch (reason) {
	case 0:
		return RESULT_UNREACHABLE;
	case 3:
		return RESULT_NO_ANSWER;
	case 5:
		return RESULT_BUSY;
	default:
		return RESULT_FAILED;
	}
}

void on_originate_response(struct model *model)
{
	const char *response = entry_text(&model->entry, ENTRY_RESPONSE);
	const char *exten = entry_text(&model->entry, ENTRY_EXTEN);
	int64_t reason = entry_int(&model->entry, ENTRY_REASON, 0);
	struct call *call = originate_call(model);
	struct segment *segment;

	if (call == NULL || response == NULL)
		return;
	segment = call->segment_count > 0 ? call->segments[0] : NULL;
	if (channel_is_number(exten)) {
		call_set_to(call, exten, NULL);
		if (segment != NULL && segment->to[0] == '\0')
			model_copy(segment->to, sizeof(segment->to), exten);
	}
	call_touch(model, call);
	if (strcmp(response, "Failure") != 0)
		return;
	call->no_answer = reason == 3;
	call->deadline_at = 0;
	if (call->channel_count == 0)
		call_end(model, call, result_of_reason(reason), NULL);
}

static void set_party(struct party *party, const char *number)
{
	if (number == NULL)
		return;
	model_copy(party->number, sizeof(party->number), number);
}

/* The caller's own phone stands in data.from: it is one of our extensions. */
static void read_request(struct call *call, const cJSON *data)
{
	const char *from = json_get_str(data, "from");

	set_party(&call->from, from);
	set_party(&call->to, json_get_str(data, "to"));
	if (from != NULL) {
		model_copy(call->from.extension, sizeof(call->from.extension), from);
		call_add_extension(call, from);
	}
	call->requested_by = mem_strdup(json_get_str(data, "requestedBy"));
	call->deadline_at = call->started_at + ORIGINATE_GRACE_MS +
			    json_get_int(data, "timeoutMs", ORIGINATE_TIMEOUT_MS);
}

static cJSON *request_data(const struct entry *entry)
{
	const struct entry_value *value = &entry->values[ENTRY_MAYDAY_DATA];
	const char *error;

	return value->text != NULL ? json_parse(value->text, value->len, &error) : NULL;
}

void on_mayday_originate(struct model *model)
{
	const char *id = entry_text(&model->entry, ENTRY_MAYDAY_CALL_ID);
	const char *action = entry_text(&model->entry, ENTRY_MAYDAY_ACTION_ID);
	struct segment *segment;
	struct call *call;
	cJSON *data;

	/* It may be told again by a gateway that took the action over: the call's first channel has
	   the call's id. */
	if (id == NULL || table_get(&model->calls, id) != NULL || channel_is_gone_id(model, id) ||
	    table_get(&model->ended_ids, id) != NULL)
		return;
	if (model->calls.used >= model->settings->calls_max) {
		model->counters.overflow++;
		return;
	}
	call = call_new(model, id, CALL_ORIGINATING);
	call->originated = true;
	data = request_data(&model->entry);
	read_request(call, data);
	cJSON_Delete(data);
	model_check_by(model, call->deadline_at);
	if (action != NULL) {
		call->action_id = mem_strdup(action);
		table_put(&model->actions, call->action_id, call);
	}
	segment = segment_open(model, call, SEGMENT_DIAL, NULL, NULL);
	model_copy(segment->from, sizeof(segment->from), call->from.number);
	model_copy(segment->to, sizeof(segment->to), call->to.number);
	note_add(model, NOTE_ORIGINATING, call);
}

void on_mayday_originate_failed(struct model *model)
{
	const char *id = entry_text(&model->entry, ENTRY_MAYDAY_CALL_ID);
	const char *outcome = entry_text(&model->entry, ENTRY_MAYDAY_OUTCOME);
	struct call *call = id != NULL ? table_get(&model->calls, id) : NULL;

	if (call == NULL || call->channel_count > 0 || outcome == NULL)
		return;
	if (strcmp(outcome, "outcome_unknown") == 0) {
		call->deadline_at = model->now + ORIGINATE_UNSURE_MS;
		model_check_by(model, call->deadline_at);
		return;
	}
	channel_remember_gone_id(model, id);
	call->deadline_at = 0;
	call->message = mem_strdup(entry_text(&model->entry, ENTRY_MAYDAY_MESSAGE));
	call_end(model, call, RESULT_FAILED, "failed");
}
