/* Tells Asterisk that an agent pauses, comes back, logs in to a queue or out of it. What the agent
   asked for goes through the event stream (MaydayDone), so that the model has it in order. */
#ifndef LIFECYCLE_AGENT_PAUSE_H
#define LIFECYCLE_AGENT_PAUSE_H

#include "commands.h"

#include <stdbool.h>

struct agent_pause {
	const char *extension; /* all borrowed for the call */
	const char *queue;     /* NULL: all */
	bool paused;
	const char *reason; /* NULL: none */
	const char *by, *request_id;
};

/* refused: NULL when it was taken; else static or borrowed words. */
typedef void agent_pause_fn(enum msg_ami_reply_outcome outcome, const char *message, void *context);

/* pbx: where it goes when nothing is known of the agent's phone. done is called once, maybe before
   this returns; with OUTCOME_UNAVAILABLE when Redis is away. */
void agent_pause(struct redis_link *link, struct commands *commands, const char *pbx,
		 const struct agent_pause *pause, agent_pause_fn *done, void *context);
/* Into a queue, or out of it: one that is configured as a member stays one, paused. */
void agent_log_in(struct redis_link *link, struct commands *commands, const char *pbx,
		  const struct agent_pause *pause, agent_pause_fn *done, void *context);
void agent_log_out(struct redis_link *link, struct commands *commands, const char *pbx,
		   const struct agent_pause *pause, agent_pause_fn *done, void *context);

#endif
