/* Hold, transfer, supervision: what happens to parties that talk. */
#include "model_parts.h"

#include <string.h>

void on_hold(struct model *model)
{
	struct channel *channel = channel_current(model);

	if (channel != NULL && channel->hold_at == 0)
		channel->hold_at = model->now;
}

void on_unhold(struct model *model)
{
	struct channel *channel = channel_current(model);

	if (channel != NULL)
		channel->hold_at = 0;
}

/* Our own hold sends both parties to a place of the dialplan that says so. Their context stays what
   it was when they are bridged again, so it proves nothing. */
static void on_our_hold(struct model *model, struct channel *channel)
{
	const char *role = entry_text(&model->entry, ENTRY_ROLE);

	if (channel->our_hold_at != 0)
		return;
	channel->our_hold_at = model->now;
	channel->holds = role != NULL && strcmp(role, "agent") == 0;
}

/* A consultation of ours is over, and this channel joins the other one that it left. */
static void on_handed_over(struct model *model, struct channel *channel)
{
	const char *by = entry_text(&model->entry, ENTRY_BY);
	const char *with = entry_text(&model->entry, ENTRY_WITH);
	const char *role = entry_text(&model->entry, ENTRY_ROLE);
	const struct channel *other = with != NULL ? table_get(&model->names, with) : NULL;
	bool customer = role != NULL && strcmp(role, "customer") == 0;

	if (by == NULL || other == NULL)
		return;
	call_add_transfer(model, channel->call, "redirect", by,
			  customer ? channel->party : other->party,
			  customer ? other->party : channel->party);
}

static void on_our_transfer(struct model *model, struct channel *channel)
{
	const char *step = entry_text(&model->entry, ENTRY_STEP);

	if (step == NULL)
		return;
	channel->our_hold_at = 0; /* it is elsewhere now */
	if (strcmp(step, "consulting") == 0)
		channel->asks = true;
	else if (strcmp(step, "returning") == 0)
		channel->returns = true;
	else if (strcmp(step, "joined") == 0)
		on_handed_over(model, channel);
}

void on_user_event(struct model *model)
{
	const char *name = entry_text(&model->entry, ENTRY_USER_EVENT);
	bool hold = name != NULL && strcmp(name, HOLD_EVENT) == 0;
	bool transfer = name != NULL && strcmp(name, TRANSFER_EVENT) == 0;
	struct channel *channel = hold || transfer ? channel_current(model) : NULL;

	if (channel == NULL)
		return;
	if (hold)
		on_our_hold(model, channel);
	else
		on_our_transfer(model, channel);
}

static bool succeeded(struct model *model)
{
	const char *result = entry_text(&model->entry, ENTRY_RESULT);

	return result != NULL && strcmp(result, "Success") == 0;
}

void on_blind_transfer(struct model *model)
{
	struct channel *by = channel_of(model, ENTRY_TRANSFERER_UNIQUEID, ENTRY_TRANSFERER_CHANNEL);
	struct channel *who =
		channel_of(model, ENTRY_TRANSFEREE_UNIQUEID, ENTRY_TRANSFEREE_CHANNEL);
	const char *target = entry_text(&model->entry, ENTRY_EXTENSION);

	if (by == NULL || target == NULL || !succeeded(model))
		return;
	by->call->transferring = true;
	call_add_transfer(model, by->call, "blind", by->party, who != NULL ? who->party : "",
			  target);
}

/* The segment in which the transferrer asked the third party; it may be closed already. */
static struct segment *asked(struct channel *channel, const struct segment *except)
{
	struct call *call = channel->call;

	for (size_t i = call->segment_count; i-- > 0;) {
		struct segment *segment = call->segments[i];

		if (segment != except && segment->b != NULL && segment->kind != SEGMENT_TRANSFER &&
		    (segment->a == channel || segment->b == channel))
			return segment;
	}
	return NULL;
}

static struct channel *other_side(const struct segment *segment, const struct channel *channel)
{
	struct channel *a = channel_real(segment->a), *b = channel_real(segment->b);

	return a == channel ? b : a;
}

/* Completed while the third party still rings: from now on it rings for the one who is left. */
static void hand_over(struct segment *segment, struct channel *to)
{
	if (segment->phase != SEGMENT_TRYING)
		return;
	segment->kind = SEGMENT_TRANSFER;
	channel_unref(&segment->a);
	segment->a = channel_ref(to);
	model_copy(segment->from, sizeof(segment->from), to->party);
}

void on_attended_transfer(struct model *model)
{
	struct channel *first =
		channel_of(model, ENTRY_ORIG_TRANSFERER_UNIQUEID, ENTRY_ORIG_TRANSFERER_CHANNEL);
	struct channel *second = channel_of(model, ENTRY_SECOND_TRANSFERER_UNIQUEID,
					    ENTRY_SECOND_TRANSFERER_CHANNEL);
	struct channel *who =
		channel_of(model, ENTRY_TRANSFEREE_UNIQUEID, ENTRY_TRANSFEREE_CHANNEL);
	struct segment *segment;
	struct channel *target;

	if (first == NULL || !succeeded(model))
		return;
	if (second == NULL)
		second = first;
	segment = asked(second, who != NULL ? segment_between(first->call, first, who) : NULL);
	target = segment != NULL ? other_side(segment, second) : NULL;
	if (segment != NULL && who != NULL)
		hand_over(segment, who);
	call_add_transfer(model, first->call, "attended", first->party,
			  who != NULL ? who->party : "", target != NULL ? target->party : "");
}

void on_spy_start(struct model *model)
{
	struct channel *spy = channel_of(model, ENTRY_SPYER_UNIQUEID, ENTRY_SPYER_CHANNEL);
	struct channel *who = channel_of(model, ENTRY_SPYEE_UNIQUEID, ENTRY_SPYEE_CHANNEL);
	struct segment *segment;

	if (spy == NULL || who == NULL)
		return;
	segment = segment_talking(spy);
	if (segment == NULL)
		segment = segment_unassigned(spy->call, spy);
	if (segment == NULL || segment->b != NULL)
		segment = segment_open(model, spy->call, SEGMENT_SUPERVISION, spy, NULL);
	if (segment == NULL)
		return;
	model_copy(segment->to, sizeof(segment->to), who->party);
	segment_serve(model, segment, SEGMENT_SUPERVISION, model->now);
	call_set_to(spy->call, who->party, NULL);
}
