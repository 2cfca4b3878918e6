/* What of a topic one client may see: its own, that of its teams, or all. Teams change while it is
   connected: then what it may see is asked for again. */
#ifndef WS_FANOUT_SIGHT_H
#define WS_FANOUT_SIGHT_H

#include "event.h"

struct buffer;
struct client;
struct hub;

/* Nothing of the topic is kept from it. */
bool sight_is_all(const struct client *client, enum topic topic);
bool sight_of_event(const struct client *client, const struct event *event);
bool sight_of_extension(const struct client *client, enum topic topic, const char *extension);
bool sight_of_team(const struct client *client, enum topic topic, const char *team);
/* All that it sees and follows of the topic, as store_snapshot() takes them. */
void sight_write(const struct client *client, enum topic topic, struct buffer *out);
/* Who belongs to which team, or who manages it, has changed. */
void sight_refresh(struct hub *hub);

#endif
