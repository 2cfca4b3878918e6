/* agent:<ext>, as far as auth-svc writes it: whether the agent takes calls. What changes is told on
   events:agent and agent:status, and wished of call-lifecycle on wishes:agent, in one step. */
#ifndef AUTH_SVC_STORE_AGENT_H
#define AUTH_SVC_STORE_AGENT_H

#include "availability.h"
#include "store.h"

#define STORE_REASON_SIZE 129
#define STORE_AGENTS_MAX  200 /* in one reading */

struct store_agent {
	char extension[33];
	bool known; /* whether the rest says anything */
	char availability[16];
	char reason[STORE_REASON_SIZE];
	int64_t since_ms;
	char former[16]; /* before its sockets were lost; "" when they were not */
	/* As call-lifecycle says. */
	char state[24], device_state[24], call_id[160];
};

enum store_change {
	STORE_CHANGED,
	STORE_UNCHANGED,
	STORE_NOT_LOGGED_IN, /* it has no AMI session, and is offline */
	STORE_CHANGE_UNKNOWN,
};

typedef void store_change_fn(enum store_change change, void *context);

struct store_status {
	const char *extension;
	enum availability availability;
	const char *reason; /* NULL for none */
	const char *by;     /* user id */
	const char *request_id;
};

/* A person says so. */
void store_agent_set(struct store *store, const struct store_status *status, store_change_fn *done,
		     void *context);
/* Within the MULTI of a session: available unless it was anything but offline; offline when no AMI
   session is left. */
void store_agent_arrives(struct store *store, const char *extension, const char *user_id);
void store_agent_leaves(struct store *store, const char *extension, const char *user_id);
/* No session is left at this extension: offline. */
void store_agent_gone(struct store *store, const char *extension, store_change_fn *done,
		      void *context);
/* None of its sockets was seen after seen_before_ms. */
void store_agent_lost(struct store *store, const char *extension, int64_t seen_before_ms,
		      store_change_fn *done, void *context);
/* One was again: it is what it was before. */
void store_agent_back(struct store *store, const char *extension, enum availability former,
		      store_change_fn *done, void *context);
/* Forgets what it was; the extension is nobody's any more. */
void store_agent_forget(struct store *store, const char *extension);

/* list is borrowed for the call, in the order asked for. */
typedef void store_agents_fn(bool ok, const struct store_agent *list, size_t count, void *context);

void store_get_agents(struct store *store, const char *const *extensions, size_t count,
		      store_agents_fn *done, void *context);

/* ---- what the sweep looks at: at most STORE_AGENTS_MAX names each ---- */

typedef void store_names_fn(bool ok, const char *const *names, size_t count, void *context);

/* Extensions none of whose sockets was seen after that time. */
void store_silent_agents(struct store *store, int64_t seen_before_ms, store_names_fn *done,
			 void *context);
/* Those that were lost, and of which a socket was seen since. */
void store_returned_agents(struct store *store, int64_t seen_after_ms, store_names_fn *done,
			   void *context);
/* Takes sessions that Redis let expire out of the list `sessions`, a part at a time: cursor is ""
   for the start and after the end. names: their extensions, then the next cursor. */
void store_sweep_sessions(struct store *store, const char *cursor, store_names_fn *done,
			  void *context);

#endif
