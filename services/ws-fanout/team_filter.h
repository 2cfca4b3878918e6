/* Of which teams a client follows events: for each topic by itself. Not of the topics that have no
   teams here. */
#ifndef WS_FANOUT_TEAM_FILTER_H
#define WS_FANOUT_TEAM_FILTER_H

#include "event.h"
#include "json.h"
#include "teams.h"

#define TEAM_ID_MAX 23

struct team_filter;

/* Of that topic only these teams from now on; none: all. */
void team_filter_set(struct team_filter **filter, enum topic topic, const char *const *teams,
		     size_t count);
void team_filter_free(struct team_filter **filter);
/* Parted by blanks; NULL: the topic is not filtered. filter may be NULL. */
const char *team_filter_of(const struct team_filter *filter, enum topic topic);
/* Somebody whom the event is about belongs to one of the teams. */
bool team_filter_passes(const struct team_filter *filter, const struct teams *teams,
			const struct event *event);
/* "teams": [...] of that topic; nothing when it is not filtered. */
void team_filter_write(const struct team_filter *filter, enum topic topic,
		       struct json_writer *writer);

#endif
