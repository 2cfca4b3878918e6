#include "compose.h"

#include "clock.h"
#include "msg_ami_action.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CONTEXT       "mayday-transfer"
#define EXTENSION_MAX 79 /* Asterisk's AST_MAX_EXTENSION, with its NUL, is 80 */
#define REPLY_TO      "replies:transfer-svc"

/* Where a channel goes. */
struct place {
	const char *channel;
	char extension[160];
	bool fits;
};

static struct place place(const char *channel, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static struct place place(const char *channel, const char *format, ...)
{
	struct place there = {.channel = channel};
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(there.extension, sizeof(there.extension), format, args);
	va_end(args);
	there.fits = len > 0 && len <= EXTENSION_MAX;
	return there;
}

static void add_pair(struct json_writer *json, const char *name, const char *value)
{
	json_begin_array(json);
	json_str(json, name);
	json_str(json, value);
	json_end_array(json);
}

static void add_place(struct json_writer *json, const struct place *there, bool extra)
{
	add_pair(json, extra ? "ExtraChannel" : "Channel", there->channel);
	add_pair(json, extra ? "ExtraContext" : "Context", CONTEXT);
	add_pair(json, extra ? "ExtraExten" : "Exten", there->extension);
	add_pair(json, extra ? "ExtraPriority" : "Priority", "1");
}

static void add_action(struct transfer *transfer, const char *action, const struct buffer *fields,
		       const struct compose_settings *set, struct actions *actions)
{
	struct json_writer json = json_writer_init(&actions->text[actions->count++]);
	char id[TRANSFER_ID_MAX + 24];
	struct msg_ami_action message = {
		.id = id,
		.action = action,
		.deadline_at = clock_wall_ms() + set->action_ms,
		.reply_to = REPLY_TO,
		.request_id = transfer->request_id,
		.call_id = transfer->call_id,
		.fields.text = buffer_str(fields),
	};

	snprintf(id, sizeof(id), "%s.%" PRId64, transfer->id, ++transfer->actions);
	msg_ami_action_write(&message, &json);
}

/* One Redirect of one party, or of two at once. second NULL: one. */
static void redirect(struct transfer *transfer, const struct place *first,
		     const struct place *second, const struct compose_settings *set,
		     struct actions *actions)
{
	struct buffer fields = {0};
	struct json_writer json = json_writer_init(&fields);

	json_begin_array(&json);
	add_place(&json, first, false);
	if (second != NULL)
		add_place(&json, second, true);
	json_end_array(&json);
	add_action(transfer, "Redirect", &fields, set, actions);
	buffer_free(&fields);
}

static void hang_up(struct transfer *transfer, const char *channel,
		    const struct compose_settings *set, struct actions *actions)
{
	struct buffer fields = {0};
	struct json_writer json = json_writer_init(&fields);

	json_begin_array(&json);
	add_pair(&json, "Channel", channel);
	add_pair(&json, "Cause", "16");
	json_end_array(&json);
	add_action(transfer, "Hangup", &fields, set, actions);
	buffer_free(&fields);
}

static const char *back_of(const struct transfer *transfer)
{
	return transfer->fall_back || transfer->kind == KIND_MANAGED ? transfer->by : "-";
}

/* "": as usual */
static const char *number_or_none(int64_t number, char out[24])
{
	snprintf(out, 24, "%" PRId64, number);
	return number != 0 ? out : "";
}

/* The customer on the way to the target. */
static struct place to_target(const struct transfer *transfer)
{
	const char *channel = transfer->customer_channel, *back = back_of(transfer);
	char priority[24], position[24];

	if (transfer->kind == KIND_QUEUE)
		return place(channel, "q.%s.%s.%s.%" PRId64 ".%s.%s.%s", transfer->id,
			     transfer->target, back, transfer->ring_s,
			     number_or_none(transfer->priority, priority),
			     number_or_none(transfer->position, position), transfer->announcement);
	if (transfer->kind == KIND_DIALPLAN)
		return place(channel, "d.%s.%s.%s", transfer->id, transfer->target, back);
	if (transfer->outside)
		return place(channel, "e.%s.%s.%s.%" PRId64 "%s%s", transfer->id, transfer->target,
			     back, transfer->ring_s, transfer->caller_id[0] != '\0' ? "." : "",
			     transfer->caller_id);
	return place(channel, "b.%s.%s.%s.%" PRId64, transfer->id, transfer->target, back,
		     transfer->ring_s);
}

/* The customer hears music. */
static struct place waiting(const struct transfer *transfer, const struct compose_settings *set)
{
	return place(transfer->customer_channel, "c.%s.%s.%" PRId64, transfer->id, transfer->by,
		     set->consult_ms / 1000 + transfer->ring_s);
}

static int begin_managed(struct transfer *transfer, const struct compose_settings *set,
			 struct actions *actions)
{
	struct place agent = place(transfer->agent_channel, "%s.%s.%s.%s.%" PRId64 "%s%s",
				   transfer->outside ? "i" : "a", transfer->id, transfer->target,
				   transfer->by, transfer->ring_s,
				   transfer->caller_id[0] != '\0' ? "." : "", transfer->caller_id);
	struct place customer = waiting(transfer, set);

	if (!agent.fits || !customer.fits)
		return -1;
	redirect(transfer, &customer, &agent, set, actions);
	return 0;
}

int compose_begin(struct transfer *transfer, const struct compose_settings *set,
		  struct actions *actions_r)
{
	struct place there;

	memset(actions_r, 0, sizeof(*actions_r));
	if (transfer->kind == KIND_MANAGED)
		return begin_managed(transfer, set, actions_r);
	there = to_target(transfer);
	if (!there.fits)
		return -1;
	redirect(transfer, &there, NULL, set, actions_r);
	return 0;
}

static void stop_asking(struct transfer *transfer, const struct compose_settings *set,
			struct actions *actions)
{
	struct place agent = place(transfer->agent_channel, "r.%s", transfer->id);

	if (transfer->target_channel[0] != '\0')
		hang_up(transfer, transfer->target_channel, set, actions);
	else
		redirect(transfer, &agent, NULL, set, actions);
}

static void hand_over(struct transfer *transfer, const struct compose_settings *set,
		      struct actions *actions)
{
	struct place customer = to_target(transfer);
	struct place agent = place(transfer->agent_channel, "y.%s", transfer->id);

	redirect(transfer, &customer, &agent, set, actions);
}

static void swap(struct transfer *transfer, const struct compose_settings *set,
		 struct actions *actions)
{
	struct place customer = waiting(transfer, set);
	struct place target = place(transfer->target_channel, "p.%s.%" PRId64, transfer->id,
				    set->consult_ms / 1000);
	struct place agent = place(transfer->agent_channel, "%s.%s",
				   transfer->with_customer ? "u" : "s", transfer->id);

	redirect(transfer, transfer->with_customer ? &customer : &target, &agent, set, actions);
}

/* Who waits comes second: the two that speak are moved at once, so that neither is left behind. */
static void meet(struct transfer *transfer, const struct compose_settings *set,
		 struct actions *actions)
{
	const char *speaks =
		transfer->with_customer ? transfer->customer_channel : transfer->target_channel;
	const char *waits =
		transfer->with_customer ? transfer->target_channel : transfer->customer_channel;
	struct place agent = place(transfer->agent_channel, "m.%s", transfer->id);
	struct place first = place(speaks, "m.%s", transfer->id);
	struct place second = place(waits, "m.%s", transfer->id);

	redirect(transfer, &agent, &first, set, actions);
	redirect(transfer, &second, NULL, set, actions);
}

void compose_effect(struct transfer *transfer, enum transfer_effect effect,
		    const struct compose_settings *set, struct actions *actions_r)
{
	struct place back =
		place(transfer->customer_channel, "v.%s.%s", transfer->id, transfer->by);
	struct place last = place(transfer->customer_channel, "f.%s", transfer->id);

	memset(actions_r, 0, sizeof(*actions_r));
	switch (effect) {
	case EFFECT_TAKE_BACK:
		redirect(transfer, &back, NULL, set, actions_r);
		break;
	case EFFECT_LAST_RESORT:
		redirect(transfer, &last, NULL, set, actions_r);
		break;
	case EFFECT_STOP_ASKING:
		stop_asking(transfer, set, actions_r);
		break;
	case EFFECT_HANG_UP:
		hang_up(transfer, transfer->agent_channel, set, actions_r);
		break;
	case EFFECT_HAND_OVER:
		hand_over(transfer, set, actions_r);
		break;
	case EFFECT_SWAP:
		swap(transfer, set, actions_r);
		break;
	case EFFECT_MEET:
		meet(transfer, set, actions_r);
		break;
	case EFFECT_NONE:
	case EFFECTS:
		break;
	}
}

void actions_free(struct actions *actions)
{
	for (size_t i = 0; i < ACTIONS_MAX; i++)
		buffer_free(&actions->text[i]);
	actions->count = 0;
}
