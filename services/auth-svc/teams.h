/* Teams in MariaDB, and who belongs to them in Redis (team:<id>:extensions), for every service. */
#ifndef AUTH_SVC_TEAMS_H
#define AUTH_SVC_TEAMS_H

#include "sql.h"
#include "store.h"
#include "users.h"

struct teams;

struct team {
	char id[24];
	char name[401];
	char managers[PRINCIPAL_TEAMS_SIZE]; /* ids of users, parted by blanks */
	int64_t members;
	int64_t created_at_ms;
};

enum teams_result {
	TEAMS_OK,
	TEAMS_NONE,
	TEAMS_NAME_TAKEN,
	TEAMS_MANAGER_UNKNOWN,
	TEAMS_UNAVAILABLE,
	TEAMS_FAILED,
};

/* All borrowed. */
struct teams *teams_new(struct sql_pool *pool, struct store *store);
void teams_free(struct teams **teams);

/* list is borrowed for the call; count is 0 unless TEAMS_OK. */
typedef void teams_done_fn(enum teams_result result, const struct team *list, size_t count,
			   void *context);

/* manager_id NULL: all. */
void teams_list(struct teams *teams, const char *manager_id, const char *after_id, size_t count,
		teams_done_fn *done, void *context);
void teams_find(struct teams *teams, const char *id, teams_done_fn *done, void *context);
/* managers: ids of users. They become those of the team; sessions of theirs that live see it at
   once. */
void teams_add(struct teams *teams, const char *name, const char *const *managers, size_t count,
	       const struct users_actor *actor, teams_done_fn *done, void *context);
/* name NULL, managers NULL: as they are. */
void teams_change(struct teams *teams, const struct team *team, const char *name,
		  const char *const *managers, size_t count, const struct users_actor *actor,
		  teams_done_fn *done, void *context);
void teams_remove(struct teams *teams, const struct team *team, const struct users_actor *actor,
		  teams_done_fn *done, void *context);

/* Writes team:<id>:extensions, and what managers' sessions may see, anew. Nobody waits for it; one
   that fails is tried again. */
void teams_publish(struct teams *teams);

#endif
