/* Who gets which event. A room is an extension, a queue ("queue:support"), or everything; an
   occupant sits in rooms, for some topics in each. */
#ifndef WS_FANOUT_ROOMS_H
#define WS_FANOUT_ROOMS_H

#include "event.h"

#include <stdbool.h>
#include <stddef.h>

#define ROOM_EVERYTHING ""
#define ROOM_QUEUE      "queue:"
#define ROOM_NAME_MAX   70 /* longer names must not come here */

struct rooms;
struct seat;

/* Embedded in whoever listens. A zeroed struct sits nowhere. */
struct occupant {
	struct seat *seats;
	uint64_t last_call; /* of rooms_each(): so that nobody is called twice for one event */
};

typedef void occupant_fn(struct occupant *occupant, struct event *event, void *context);

struct rooms *rooms_new(void);
/* Everybody must have left. */
void rooms_free(struct rooms **rooms);
void rooms_enter(struct rooms *rooms, struct occupant *occupant, const char *room,
		 topic_set topics);
void rooms_leave(struct rooms *rooms, struct occupant *occupant, const char *room,
		 topic_set topics);
/* Out of every room, as far as these topics go. */
void rooms_leave_topics(struct rooms *rooms, struct occupant *occupant, topic_set topics);
/* Calls fn once for each occupant who should get the event. fn must not enter or leave rooms. */
void rooms_each(struct rooms *rooms, struct event *event, occupant_fn *fn, void *context);
/* Whether rooms_each() would call for this occupant. */
bool rooms_match(const struct occupant *occupant, const struct event *event);
/* Topics for which the occupant sits somewhere. */
topic_set occupant_topics(const struct occupant *occupant);
/* Calls fn for each room of the occupant. */
void occupant_each(const struct occupant *occupant,
		   void (*fn)(const char *room, topic_set topics, void *context), void *context);
size_t occupant_rooms(const struct occupant *occupant);

#endif
