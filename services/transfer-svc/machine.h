/* The states of a transfer and what changes them: one table, in machine.c, from which
   docs/transfers.md is drawn. Pure: no I/O, no time. */
#ifndef TRANSFER_SVC_MACHINE_H
#define TRANSFER_SVC_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

enum transfer_state {
	STATE_REQUESTED,    /* asked for; Asterisk has not said a word */
	STATE_DIALING,      /* the customer's channel calls the target */
	STATE_CONSULTING,   /* the customer hears music, the agent's channel calls the target */
	STATE_RINGING,      /* the target rings */
	STATE_QUEUED,       /* the customer waits in the target queue */
	STATE_ANSWERED,     /* the agent speaks with the target (or, toggled, with the customer) */
	STATE_COMPLETING,   /* the agent leaves, the others are to be joined */
	STATE_CANCELLING,   /* somebody thought better of it: back to the agent */
	STATE_ROLLING_BACK, /* it did not work: back to the agent */
	STATE_FALLING_BACK, /* the agent did not take the customer back: to the fall-back queue */
	STATE_COMPLETED,    /* from here on: over */
	STATE_FAILED,
	STATE_CANCELLED,
	STATE_ROLLED_BACK,
	STATE_ABANDONED,
	STATES
};

enum transfer_input {
	/* what became of the first action */
	INPUT_REFUSED, /* it was not done: nothing has changed for the customer */
	/* the dialplan's steps, and what call-lifecycle says */
	INPUT_TRYING,
	INPUT_CONSULTING,
	INPUT_RINGING,
	INPUT_QUEUED,
	INPUT_ANSWERED,      /* the target, to the agent */
	INPUT_JOINED,        /* customer and target */
	INPUT_ALONE,         /* the agent asks no longer: the target is gone or never came */
	INPUT_RETURNING,     /* the customer calls the agent */
	INPUT_RETURNED,      /* the customer is with the agent */
	INPUT_FALLBACK,      /* the customer goes to the fall-back queue */
	INPUT_CUSTOMER_GONE, /* hung up */
	INPUT_AGENT_GONE,
	INPUT_TARGET_GONE,
	INPUT_LOST, /* the target did not take the customer, and nobody wants them back */
	/* people's commands */
	INPUT_COMPLETE,
	INPUT_CANCEL,
	INPUT_TOGGLE,
	INPUT_CONFERENCE,
	/* time */
	INPUT_DEADLINE,
	INPUTS
};

/* What is to be done, at most one thing for each change. */
enum transfer_effect {
	EFFECT_NONE,
	EFFECT_TAKE_BACK,   /* the customer's channel calls the agent's phone */
	EFFECT_STOP_ASKING, /* the target is hung up: the agent goes back to the customer */
	EFFECT_HANG_UP,     /* the agent is: the others are joined */
	EFFECT_HAND_OVER,   /* the customer calls the target, the agent leaves */
	EFFECT_SWAP,        /* the agent speaks with the other one */
	EFFECT_MEET,        /* all three together */
	EFFECT_LAST_RESORT, /* the customer goes to the fall-back queue */
	EFFECTS
};

enum transfer_mode {
	MODE_ALONE,    /* the customer is on the way alone */
	MODE_ASKING,   /* the agent is still part of it: a consultation */
	MODE_WATCHING, /* a phone transfers by itself: we look on */
	MODES
};

struct transition {
	enum transfer_state next;
	enum transfer_effect effect;
	bool refused; /* a command that cannot be followed in this state */
	bool known;   /* it stands in the table; else a fact that changes nothing here */
};

struct transition machine_step(enum transfer_state state, enum transfer_mode mode,
			       enum transfer_input input);
/* How the parties take part after it. */
enum transfer_mode machine_mode_after(enum transfer_mode mode, enum transfer_input input,
				      enum transfer_effect effect);
bool state_is_over(enum transfer_state state);
bool input_is_command(enum transfer_input input);

/* "rolling_back", "customer_gone", "take_back": in JSON, Redis and documents. */
const char *state_name(enum transfer_state state);
const char *input_name(enum transfer_input input);
const char *effect_name(enum transfer_effect effect);
const char *mode_name(enum transfer_mode mode);
bool mode_parse(const char *name, enum transfer_mode *mode_r);
bool state_parse(const char *name, enum transfer_state *state_r);

#endif
