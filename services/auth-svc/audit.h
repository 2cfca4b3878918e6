/* The audit: every login, refusal and administrative act, on the stream `audit` at once, from there
   into MariaDB. What waits for MariaDB waits in the stream. */
#ifndef AUTH_SVC_AUDIT_H
#define AUTH_SVC_AUDIT_H

#include "http_server.h"
#include "redis_settings.h"
#include "sql.h"
#include "store.h"

struct audit;

/* All borrowed. Nothing is read from the stream before audit_begin(). */
struct audit *audit_open(uv_loop_t *loop, struct store *store, struct redis_link *link,
			 struct sql_pool *sql, const struct redis_settings *redis);
/* The tables are there. */
void audit_begin(struct audit *audit);
void audit_close(struct audit **audit);

struct audit_entry {
	const char *actor_id, *actor; /* "" when nobody is known */
	const char *action;           /* noun:past */
	const char *subject;
	const char *detail; /* NULL for none */
	bool stored;        /* in MariaDB already */
};

/* The address and the request's id are the request's. */
void audit_add(struct audit *audit, const struct http_request *request,
	       const struct audit_entry *entry);
/* The same, done by who has sent this request. */
void audit_act(struct audit *audit, struct http_request *request, const char *action,
	       const char *subject, const char *detail, bool stored);

#endif
