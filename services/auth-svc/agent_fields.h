/* What a request says of an agent to be made or changed: the fields, and what they become. */
#ifndef AUTH_SVC_AGENT_FIELDS_H
#define AUTH_SVC_AGENT_FIELDS_H

#include "agents.h"
#include "fields.h"

enum agent_field {
	AGENT_EXTENSION,
	AGENT_USERNAME,
	AGENT_PASSWORD,
	AGENT_DISPLAY_NAME,
	AGENT_EMAIL,
	AGENT_TEAM,
	AGENT_ENABLED,
	AGENT_QUEUES,
	AGENT_FIELDS
};

/* For making one; for changing one. */
extern const struct field agent_fields[], agent_change_fields[];

/* The queues of the body, borrowed from it, ended by NULL. False: 400 was replied. */
bool agent_read_queues(struct http_request *request, struct agent_wish *wish);
/* Takes over the fields that are there. */
void agent_fill(struct user *user, const char *const *values);

#endif
