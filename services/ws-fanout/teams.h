/* Who belongs to which team, of all teams: for clients that follow only some of them. */
#ifndef WS_FANOUT_TEAMS_H
#define WS_FANOUT_TEAMS_H

#include "redis_link.h"

struct teams;

/* link is borrowed, and closed before they are freed. */
struct teams *teams_new(struct redis_link *link);
void teams_free(struct teams **teams);

typedef void teams_done_fn(bool ok, void *context);
/* Reads all of them again. done (may be NULL) comes once, maybe before this returns; not ok: Redis
   is away, and they stay as they were. */
void teams_load(struct teams *teams, teams_done_fn *done, void *context);

/* list: ids of teams, parted by blanks. */
bool teams_have(const struct teams *teams, const char *list, const char *extension);
void teams_each(const struct teams *teams, const char *list,
		void (*fn)(const char *extension, void *context), void *context);

#endif
