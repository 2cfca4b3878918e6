#include "decide.h"

#include "stream_id.h"

#include <stdio.h>
#include <string.h>

/* The agent is still on the line: it need not be rung. */
#define REJOIN_MS 5000

const struct signal signal_empty = {
	.why = "", .cause = "", .channel = "", .party = "", .entry_id = ""};

static int64_t limit_of(const struct transfer *transfer, const struct limits *limits)
{
	if (transfer->mode == MODE_WATCHING)
		return DECIDE_WATCH_MS;
	switch (transfer->state) {
	case STATE_REQUESTED:
		return limits->requested_ms;
	case STATE_DIALING:
	case STATE_CONSULTING:
	case STATE_RINGING:
	case STATE_QUEUED:
		return transfer->ring_s * 1000 + limits->grace_ms;
	case STATE_ANSWERED:
		return limits->consult_ms;
	case STATE_CANCELLING:
	case STATE_ROLLING_BACK:
		return transfer->mode == MODE_ASKING ? REJOIN_MS
						     : limits->back_ms + limits->grace_ms;
	default:
		return limits->grace_ms;
	}
}

/* at: when it happened, which may be long ago. */
static void enter(struct transfer *transfer, enum transfer_state state, const struct limits *limits,
		  int64_t at, int64_t now)
{
	transfer->state = state;
	transfer->state_at = now;
	if (state_is_over(state)) {
		transfer->deadline_at = 0;
		transfer->ended_at = at;
	} else {
		transfer->deadline_at = now + limit_of(transfer, limits);
	}
}

void decide_begin(struct transfer *transfer, enum transfer_state state, const struct limits *limits,
		  int64_t now)
{
	if (transfer->requested_at == 0)
		transfer->requested_at = now;
	enter(transfer, state, limits, now, now);
}

/* Of DIALSTATUS and QUEUESTATUS. */
static const char *reason_of_word(const char *word, const char *cause)
{
	static const struct {
		const char *word, *reason;
	} words[] = {
		{"BUSY", "busy"},
		{"CHANUNAVAIL", "unreachable"},
		{"CONGESTION", "failed"},
		{"ANSWER", "target_hung_up"},
		{"TIMEOUT", "timeout"},
		{"FULL", "queue_full"},
		{"JOINEMPTY", "no_agents"},
		{"LEAVEEMPTY", "no_agents"},
		{"JOINUNAVAIL", "no_agents"},
		{"LEAVEUNAVAIL", "no_agents"},
		{"CANCEL", "no_answer"},
		{"UNKNOWN", "failed"},
		{"", "failed"},
	};

	/* Of a refusal the word says no more than that it was none of the others. */
	if (strcmp(cause, "21") == 0)
		return "declined";
	if (strcmp(word, "NOANSWER") == 0)
		return "no_answer";
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].reason;
	return word;
}

/* The first reason is the one that counts. */
static void give_reason(struct transfer *transfer, const char *reason)
{
	if (transfer->reason[0] == '\0')
		snprintf(transfer->reason, sizeof(transfer->reason), "%s", reason);
}

static const char *reason_of_deadline(enum transfer_state state)
{
	switch (state) {
	case STATE_REQUESTED:
		return "pbx_silent";
	case STATE_ANSWERED:
		return "consulted_too_long";
	case STATE_DIALING:
	case STATE_CONSULTING:
	case STATE_RINGING:
		return "no_answer";
	case STATE_QUEUED:
		return "timeout";
	default:
		return "lost";
	}
}

static void note_reason(struct transfer *transfer, const struct signal *signal)
{
	switch (signal->input) {
	case INPUT_RETURNED:
		if (transfer->with_customer && transfer->state == STATE_ANSWERED)
			give_reason(transfer, "target_hung_up");
		else if (signal->why[0] != '\0')
			give_reason(transfer, signal->why);
		break;
	case INPUT_REFUSED:
		give_reason(transfer, signal->why);
		break;
	case INPUT_LOST:
	case INPUT_ALONE:
	case INPUT_RETURNING:
		if (transfer->state != STATE_CANCELLING)
			give_reason(transfer, reason_of_word(signal->why, transfer->cause));
		break;
	case INPUT_TARGET_GONE:
		give_reason(transfer, "target_hung_up");
		break;
	case INPUT_CUSTOMER_GONE:
		give_reason(transfer, "customer_hung_up");
		break;
	case INPUT_DEADLINE:
		give_reason(transfer, reason_of_deadline(transfer->state));
		break;
	case INPUT_CANCEL:
		give_reason(transfer, "cancelled");
		break;
	default:
		break;
	}
}

static void note_times(struct transfer *transfer, const struct signal *signal)
{
	if (signal->input == INPUT_RINGING && transfer->ringing_at == 0)
		transfer->ringing_at = signal->at;
	if ((signal->input == INPUT_ANSWERED || signal->input == INPUT_JOINED) &&
	    transfer->answered_at == 0)
		transfer->answered_at = signal->at;
}

/* Who takes a parked customer is known when it is done. */
static void note_target(struct transfer *transfer, const struct signal *signal)
{
	if (transfer->kind == KIND_PARK && signal->input == INPUT_JOINED &&
	    signal->party[0] != '\0')
		snprintf(transfer->target, sizeof(transfer->target), "%s", signal->party);
}

static const char *event_of(enum transfer_state state)
{
	switch (state) {
	case STATE_RINGING:
		return "transfer:ringing";
	case STATE_ANSWERED:
		return "transfer:answered";
	case STATE_COMPLETED:
		return "transfer:completed";
	case STATE_FAILED:
		return "transfer:failed";
	case STATE_CANCELLED:
		return "transfer:cancelled";
	case STATE_ROLLED_BACK:
		return "transfer:rolled_back";
	case STATE_ABANDONED:
		return "transfer:abandoned";
	default:
		return "transfer:changed";
	}
}

/* Who is joined at once was answered too. */
static void tell(const struct transfer *transfer, bool answered_before, struct decision *decision)
{
	size_t count = 0;

	if (transfer->state == STATE_COMPLETED && !answered_before)
		decision->events[count++] = "transfer:answered";
	decision->events[count] = event_of(transfer->state);
}

static void take(struct transfer *transfer, const struct signal *signal,
		 const struct limits *limits, int64_t now, struct decision *decision)
{
	struct transition step = machine_step(transfer->state, transfer->mode, signal->input);
	bool answered_before = transfer->answered_at != 0, moved;

	decision->refused = step.refused;
	if (!step.known)
		return;
	note_reason(transfer, signal);
	note_times(transfer, signal);
	note_target(transfer, signal);
	transfer->mode = machine_mode_after(transfer->mode, signal->input, step.effect);
	transfer->conference = transfer->conference || signal->conference;
	decision->changed = true;
	decision->effect = step.effect;
	moved = step.next != transfer->state;
	enter(transfer, step.next, limits, signal->at != 0 ? signal->at : now, now);
	if (moved)
		tell(transfer, answered_before, decision);
}

static bool is_old(const struct transfer *transfer, const struct signal *signal)
{
	return signal->entry_id[0] != '\0' && transfer->applied_id[0] != '\0' &&
	       stream_id_order(stream_id_parse(signal->entry_id),
			       stream_id_parse(transfer->applied_id)) <= 0;
}

/* What a call says counts for a phone's own transfer; of ours the dialplan tells all but the
   ringing. */
static bool concerns(const struct transfer *transfer, const struct signal *signal)
{
	bool phone = transfer->kind != KIND_QUEUE && transfer->kind != KIND_DIALPLAN;

	if (!signal->of_call)
		return true;
	/* Read again, of the time before it began. */
	if (transfer->mode == MODE_WATCHING && signal->at < transfer->requested_at)
		return false;
	if (signal->input == INPUT_RINGING)
		return phone && (signal->party[0] == '\0' || transfer->outside ||
				 strcmp(signal->party, transfer->target) == 0);
	return transfer->mode == MODE_WATCHING;
}

/* Who asked by keys has left, as one sees; Asterisk says in a moment that it was a transfer. */
static bool is_ahead(const struct transfer *transfer, const struct signal *signal)
{
	return transfer->kind == KIND_PHONE_ATTENDED && signal->input == INPUT_JOINED &&
	       !signal->left &&
	       (transfer->state == STATE_CONSULTING || transfer->state == STATE_RINGING ||
		transfer->state == STATE_ANSWERED);
}

static struct signal refine(const struct transfer *transfer, const struct signal *signal)
{
	struct signal refined = *signal;

	/* The target of a toggled consultation waits: when it leaves, the agent is with the
	   customer. */
	if (signal->input == INPUT_TARGET_GONE && transfer->with_customer &&
	    transfer->mode == MODE_ASKING)
		refined.input = INPUT_RETURNED;
	/* Asterisk brought the customer back to who transferred. */
	if (signal->input == INPUT_JOINED && transfer->mode == MODE_WATCHING &&
	    signal->party[0] != '\0' && strcmp(signal->party, transfer->by) == 0)
		refined.input = INPUT_RETURNED;
	if (is_ahead(transfer, &refined))
		refined.input = INPUT_AGENT_GONE;
	return refined;
}

static void note_channel(struct transfer *transfer, const struct signal *signal,
			 struct decision *decision)
{
	snprintf(transfer->target_channel, sizeof(transfer->target_channel), "%s", signal->channel);
	decision->changed = true;
}

static void note_speaks(struct transfer *transfer, const struct signal *signal,
			struct decision *decision)
{
	decision->changed = transfer->with_customer != signal->with_customer;
	transfer->with_customer = signal->with_customer;
	if (decision->changed)
		decision->events[0] = "transfer:changed";
}

void decide(struct transfer *transfer, const struct signal *signal, const struct limits *limits,
	    int64_t now, struct decision *decision_r)
{
	struct signal refined = refine(transfer, signal);

	memset(decision_r, 0, sizeof(*decision_r));
	if (is_old(transfer, signal) || !concerns(transfer, signal))
		return;
	if (state_is_over(transfer->state)) {
		decision_r->refused =
			signal->kind == SIGNAL_INPUT && input_is_command(signal->input);
		return;
	}
	if (signal->kind == SIGNAL_INPUT && signal->input == INPUT_TARGET_GONE &&
	    strcmp(transfer->cause, signal->cause) != 0) {
		snprintf(transfer->cause, sizeof(transfer->cause), "%s", signal->cause);
		decision_r->changed = true;
	}
	if (signal->kind == SIGNAL_TARGET_CHANNEL)
		note_channel(transfer, signal, decision_r);
	else if (signal->kind == SIGNAL_SPEAKS_WITH)
		note_speaks(transfer, signal, decision_r);
	else
		take(transfer, &refined, limits, now, decision_r);
	if (decision_r->changed && signal->entry_id[0] != '\0')
		snprintf(transfer->applied_id, sizeof(transfer->applied_id), "%s",
			 signal->entry_id);
}
