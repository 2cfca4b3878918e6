/* Composes actions for Asterisk, and refuses what must not be sent: bytes that would end a header
   (CR, LF, NUL), lines and actions that Asterisk would not take, actions that are not allowed.
   Limits measured on Asterisk 22: a line of 1,022 bytes, 128 headers. */
#ifndef AMI_ACTION_H
#define AMI_ACTION_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define AMI_LINE_MAX           1022
#define AMI_ACTION_HEADERS_MAX 128
#define AMI_ID_MAX             64 /* of an ActionID */

struct ami_action {
	struct buffer text;
	size_t headers;
	const char *error; /* static; NULL while the action is good */
};

/* Starts an action; a zeroed struct or one that was used before. */
void ami_action_begin(struct ami_action *action, const char *name, const char *id);
/* Nothing is added after the first error. */
void ami_action_field(struct ami_action *action, const char *key, const char *value);
/* The empty line. Returns 0, or -1: then action->error says why it must not be sent. */
int ami_action_end(struct ami_action *action) __attribute__((warn_unused_result));
void ami_action_free(struct ami_action *action);

#endif
