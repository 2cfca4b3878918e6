/* MongoDB as the loop sees it: a pool of clients, three lanes of work on the thread pool, and
   whether the server is there. Work is refused at once while it is away; a probe brings it back. */
#ifndef CRM_DATA_SVC_MONGO_H
#define CRM_DATA_SVC_MONGO_H

#include "db.h"
#include "settings.h"

#include <uv.h>

struct mongo;

enum mongo_lane {
	MONGO_FAST,  /* by id or by number: what a person waits for */
	MONGO_SLOW,  /* lists, searches, figures */
	MONGO_JOBS,  /* everything of one person, shown or erased; one at a time */
	MONGO_CALLS, /* what the calls cause; one at a time, in order */
	MONGO_AUDIT, /* who read what; one at a time */
	MONGO_LANES
};

struct mongo_hooks {
	/* up: it answers, and what is wanted is there. detail is borrowed, NULL for none. */
	void (*on_state)(bool up, const char *detail, void *context);
	/* Run by the probe on a thread when the server is new: makes indexes. */
	enum db_result (*prepare)(struct db *db);
	void *context;
	struct cache *cache; /* taken over: it goes after the last piece of work */
};

/* On a thread of the pool; touches job and db alone. */
typedef void mongo_work_fn(struct db *db, void *job);
/* On the loop. */
typedef void mongo_done_fn(void *job);

/* NULL with *error_r (static) when the address is no MongoDB URI. set must outlive it. */
struct mongo *mongo_open(uv_loop_t *loop, const struct mongo_settings *set,
			 const struct mongo_hooks *hooks, const char **error_r);
bool mongo_is_up(const struct mongo *mongo);
/* Returns 0: done comes exactly once, after a mongo_close() too. Or -1: it is away, or too many
   wait. */
int mongo_run(struct mongo *mongo, enum mongo_lane lane, mongo_work_fn *work, mongo_done_fn *done,
	      void *job) __attribute__((warn_unused_result));
/* What runs ends; what waits is not begun, only answered. */
void mongo_close(struct mongo **mongo);

#endif
