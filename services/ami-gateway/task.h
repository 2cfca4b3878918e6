/* One action from the stream, from its reading to its acknowledged reply. */
#ifndef TASK_H
#define TASK_H

#include "ami_action.h"
#include "ami_parser.h"
#include "msg_ami_action.h"
#include "msg_ami_reply.h"

#include <stdbool.h>

enum task_state {
	TASK_NEW,
	TASK_SENT,     /* to Asterisk; the answer is awaited */
	TASK_ANSWERED, /* the reply stands, but Redis has not acknowledged it */
};

struct task {
	struct task *next;
	char entry_id[48]; /* of the stream */
	cJSON *json;       /* owned; request borrows from it; NULL when it is not JSON */
	struct msg_ami_action request;
	const char *fault; /* why request is not to be used (static); NULL when it is good */
	enum task_state state;
	bool storing; /* the reply is on its way to Redis */
	bool told;    /* of an Originate: readers of the event stream know of the call */
	int64_t sent_us;
	enum msg_ami_reply_outcome outcome;
	struct buffer message, fields, events; /* of the reply, as they come */
	size_t event_count;
	struct buffer reply;
};

/* entry_id and data are copied. Never NULL. */
struct task *task_new(const char *entry_id, const char *data, size_t len);
void task_free(struct task **task);
/* Why it must not be sent (static), or NULL: then action holds it, an Originate with its ChannelId
   and without waiting, and *fields_r (owned by the caller) what was sent, as JSON. */
const char *task_compose(const struct task *task, struct ami_action *action, char **fields_r);
bool task_is_originate(const struct task *task);
/* Takes over what Asterisk answered. */
void task_add_response(struct task *task, const struct ami_message *response);
void task_add_item(struct task *task, const struct ami_message *item);
/* The state becomes TASK_ANSWERED, and reply is written. message NULL: Asterisk's own. */
void task_answer(struct task *task, enum msg_ami_reply_outcome outcome, const char *message);
const char *task_outcome_name(enum msg_ami_reply_outcome outcome);

#endif
