/* What a transfer asks of Asterisk, as entries of actions:<pbx>: see extensions_transfer.conf for
   what the extensions mean. Pure, but for the clock. */
#ifndef TRANSFER_SVC_COMPOSE_H
#define TRANSFER_SVC_COMPOSE_H

#include "buffer.h"
#include "transfer.h"

#define ACTIONS_MAX 2

struct actions {
	struct buffer text[ACTIONS_MAX]; /* JSON: ami-action */
	size_t count;
};

struct compose_settings {
	int64_t action_ms;  /* an action is not sent after this time */
	int64_t consult_ms; /* the customer hears music at most so long */
};

/* The first action of a transfer. Returns 0, or -1 when it does not fit into an extension. */
int compose_begin(struct transfer *transfer, const struct compose_settings *set,
		  struct actions *actions_r);
/* Counts in transfer->actions. */
void compose_effect(struct transfer *transfer, enum transfer_effect effect,
		    const struct compose_settings *set, struct actions *actions_r);
void actions_free(struct actions *actions);

#endif
