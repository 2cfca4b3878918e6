/* What a signal makes of a transfer: the table of machine.h, and all that goes with a change
   (times, reasons, deadlines, events). Pure. */
#ifndef TRANSFER_SVC_DECIDE_H
#define TRANSFER_SVC_DECIDE_H

#include "transfer.h"

/* Something that was heard. Texts are borrowed; "" where there is none, never NULL. */
struct signal {
	enum {
		SIGNAL_INPUT,
		SIGNAL_TARGET_CHANNEL, /* the target's channel was made */
		SIGNAL_SPEAKS_WITH,    /* the agent, after a toggle */
	} kind;
	enum transfer_input input;
	bool of_call; /* call-lifecycle says so of the call, not the dialplan of this transfer */
	bool with_customer; /* SIGNAL_SPEAKS_WITH */
	bool conference;    /* INPUT_JOINED: all three */
	bool left;          /* INPUT_JOINED: and Asterisk said that it was a transfer */
	const char *why;    /* Asterisk's word, or a reason of our own */
	const char *cause;  /* INPUT_TARGET_GONE */
	const char *channel;
	const char *party;    /* of_call: whose phone rings, or who answered */
	const char *entry_id; /* of events:ami:<pbx>: heard once */
	int64_t at;           /* when it happened, Unix ms */
};

extern const struct signal signal_empty;

/* How long each state may last, beside what the transfer itself says. */
struct limits {
	int64_t requested_ms; /* Asterisk says nothing */
	int64_t consult_ms;   /* the agent speaks with the target */
	int64_t back_ms;      /* the agent's phone rings for the customer that comes back */
	int64_t grace_ms;     /* for the dialplan to act by itself first */
};

#define DECISION_EVENTS 2
/* Nobody tells how a phone's own transfer goes: its call is looked at so often. */
#define DECIDE_WATCH_MS 2000

struct decision {
	bool changed; /* to be stored */
	bool refused; /* a command that cannot be followed now */
	enum transfer_effect effect;
	const char *events[DECISION_EVENTS]; /* types to be told, in order; NULL: no more */
};

/* now: Unix ms. The transfer is changed in place; its version is not touched. */
void decide(struct transfer *transfer, const struct signal *signal, const struct limits *limits,
	    int64_t now, struct decision *decision_r);
/* What is set when a transfer begins: state, times (requested_at unless it is known), the first
   deadline. */
void decide_begin(struct transfer *transfer, enum transfer_state state, const struct limits *limits,
		  int64_t now);

#endif
