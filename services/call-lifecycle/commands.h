/* Actions for Asterisk, through actions:<pbx>, and its answers on this instance's own stream. */
#ifndef LIFECYCLE_COMMANDS_H
#define LIFECYCLE_COMMANDS_H

#include "msg_ami_action.h"
#include "msg_ami_reply.h"
#include "redis_link.h"
#include "redis_settings.h"

#include <stdint.h>
#include <uv.h>

struct commands;

/* All borrowed. */
struct commands *commands_open(uv_loop_t *loop, struct redis_link *link,
			       const struct redis_settings *redis, const char *instance,
			       int64_t timeout_ms);
void commands_close(struct commands **commands);

#define COMMAND_FIELDS_MAX 12

struct command {
	const char *pbx, *action, *call_id, *request_id;
	const char *data; /* JSON, or NULL: see MaydayOriginate and MaydayDone in proto/redis.md */
	struct {
		const char *name, *value;
	} fields[COMMAND_FIELDS_MAX]; /* ended by a NULL name, when there is room */
};

/* outcome and message (borrowed): what Asterisk or the gateway said; outcome_unknown when nobody
   answered in time. */
typedef void command_done_fn(enum msg_ami_reply_outcome outcome, const char *message,
			     void *context);

/* done is called exactly once, maybe before this returns. */
void commands_send(struct commands *commands, const struct command *command, command_done_fn *done,
		   void *context);
/* The action as it would be sent, for one that goes by another way; nobody waits for its answer. */
void commands_write(struct commands *commands, const struct command *command, struct buffer *out);

#endif
