/* Agents in MariaDB: a user with an extension, its telephone (ps_endpoints, ps_auths, ps_aors) and
   its places in queues. What belongs together changes in one transaction; Asterisk sees it at its
   next look, without a reload. */
#ifndef AUTH_SVC_AGENTS_H
#define AUTH_SVC_AGENTS_H

#include "users.h"

#define AGENT_QUEUES_MAX   16
#define AGENT_SECRET_LEN   24
#define AGENT_QUEUES_SIZE  1025 /* names, parted by commas */
#define AGENT_QUEUE_LENGTH 60

struct agents;

struct agent {
	struct user user;
	bool has_phone;
	char queues[AGENT_QUEUES_SIZE];
};

/* What a new telephone is given, beside its own. */
struct agents_phone_settings {
	const char *transport, *context, *codecs;
};

/* pool and set are borrowed. */
struct agents *agents_new(struct sql_pool *pool, const struct agents_phone_settings *set);
void agents_free(struct agents **agents);

enum agents_result {
	AGENTS_OK,
	AGENTS_NONE, /* no such agent; or it has changed meanwhile */
	AGENTS_USERNAME_TAKEN,
	AGENTS_EXTENSION_TAKEN,
	AGENTS_EMAIL_TAKEN,
	AGENTS_PHONE_EXISTS,
	AGENTS_NUMBER_IN_DIALPLAN,
	AGENTS_TEAM_UNKNOWN,
	AGENTS_QUEUE_UNKNOWN,
	AGENTS_UNAVAILABLE,
	AGENTS_FAILED,
};

/* "extension_taken" and the like, with words for people. */
const char *agents_fault(enum agents_result result, const char **message_r);

/* list is borrowed for the call; count is 0 unless AGENTS_OK. */
typedef void agents_done_fn(enum agents_result result, const struct agent *list, size_t count,
			    void *context);

void agents_find(struct agents *agents, const char *id, agents_done_fn *done, void *context);
/* manager_id NULL: of all teams. */
void agents_list(struct agents *agents, const char *manager_id, const char *after_id, size_t count,
		 agents_done_fn *done, void *context);

/* What is to be made, or to be as it says; the queues by name, NULL as they are. */
struct agent_wish {
	struct user user;
	const char *queues[AGENT_QUEUES_MAX + 1]; /* ended by NULL */
	bool has_queues;
	char secret[AGENT_SECRET_LEN + 1]; /* of the telephone */
};

void agents_make_secret(char secret[AGENT_SECRET_LEN + 1]);
/* AGENTS_OK: agents_add() would do it, as things are. */
void agents_check(struct agents *agents, const struct agent_wish *wish, agents_done_fn *done,
		  void *context);
void agents_add(struct agents *agents, const struct agent_wish *wish,
		const struct users_actor *actor, agents_done_fn *done, void *context);
void agents_change(struct agents *agents, const struct agent_wish *wish,
		   const struct users_actor *actor, agents_done_fn *done, void *context);
void agents_change_secret(struct agents *agents, const struct user *user, const char *secret,
			  const struct users_actor *actor, agents_done_fn *done, void *context);
void agents_remove(struct agents *agents, const struct user *user, const struct users_actor *actor,
		   agents_done_fn *done, void *context);
/* What the dialplan's ODBC_USER_PRESENCE reads. Nobody waits for it. */
void agents_set_presence(struct agents *agents, const char *extension, const char *presence);

void agent_write(const struct agent *agent, struct json_writer *json);

#endif
