/* What the handlers that change a call share: which of its channels is meant, and the answer when
   Asterisk has spoken. Each of the functions that return bool has replied when it returns false. */
#ifndef LIFECYCLE_CONTROL_H
#define LIFECYCLE_CONTROL_H

#include "call_view.h"
#include "commands.h"
#include "service.h"

#define LEGS_MAX 32

struct legs {
	struct call_leg all[LEGS_MAX];
	size_t count;
};

/* Of the call that the request is about; fields are to be added. */
struct command control_command(struct http_request *request, const char *action);
void control_add(struct command *command, const char *name, const char *value);

/* Sends it, and answers 202 {"callId", ...more} or Asterisk's refusal. more: further members as
   JSON text, or NULL. */
void control_send(struct service *service, struct http_request *request,
		  const struct command *command, const char *more);
/* Several actions for one request: one success is enough, for a channel may be gone before its
   turn. The answer comes after the last. */
struct control_group;

struct control_group *control_group_new(struct service *service, struct http_request *request);
void control_group_send(struct control_group *group, const struct command *command);
/* After the last was sent. */
void control_group_release(struct control_group *group);

/* The answers alone, for handlers that send several. */
void control_accepted(struct http_request *request, const char *more);
void control_refused(struct http_request *request, enum msg_ami_reply_outcome outcome,
		     const char *message);
bool control_is_up(struct service *service, struct http_request *request);

/* The call is not over, and these are its channels. */
bool control_legs(struct http_request *request, struct legs *legs_r);
const struct call_leg *control_leg_of(const struct legs *legs, const char *uniqueid);
/* The side that the request speaks for, the caller's own extension or else the first of ours, and
   the one at its other end. */
bool control_pair(struct http_request *request, struct legs *legs_r, const struct call_leg **own_r,
		  const struct call_leg **other_r);
/* That side alone, whether or not it talks with somebody: of ?extension= when that is given. */
bool control_own(struct http_request *request, struct legs *legs_r, const struct call_leg **own_r);

#endif
