/* What the parts of the service share, and the way from a stream entry to the clients. */
#ifndef WS_FANOUT_HUB_H
#define WS_FANOUT_HUB_H

#include "auth.h"
#include "backlog.h"
#include "metrics_list.h"
#include "rooms.h"
#include "settings.h"
#include "store.h"
#include "ws_server.h"

struct client;
struct eio;
struct teams;
struct webhooks;

/* All borrowed from the service. */
struct hub {
	const struct fanout_settings *settings;
	struct fanout_metrics *metrics;
	struct stream_metrics *streams; /* one for each topic */
	struct redis_link *link;
	struct auth *auth;
	struct ws_server *server;
	struct rooms *rooms;
	struct teams *teams;
	struct backlog *backlogs[TOPIC_COUNT]; /* owned; NULL until hub_load() */
	struct client *first, *last;           /* in order of ids */
	uint64_t next_client_id;
	unsigned ticks;
	bool started;
	bool sight_is_old;         /* teams have changed, and could not be looked at: see sight.h */
	struct eio *eio;           /* the sessions of Socket.IO */
	struct webhooks *webhooks; /* NULL while the service closes */
	char prefix[12];           /* of connection ids: another one in each process */
};

/* The latest entries of a topic, oldest first: what comes after the last is live. The hub is
   started when every topic was told. */
void hub_load(struct hub *hub, enum topic topic, const struct store_entry *entries, size_t count);
void hub_start(struct hub *hub);
bool hub_is_started(const struct hub *hub);
void hub_stop(struct hub *hub);
/* Once a second. */
void hub_tick(struct hub *hub);
/* Takes over the caller's reference. */
void hub_publish(struct hub *hub, struct event *event);
/* Whether an event after that id of the topic session revoked the session. */
bool hub_was_revoked(const struct hub *hub, struct entry_id since, const char *session_id);
/* An entry of the topic that is no event. */
void hub_skip(struct hub *hub, enum topic topic, struct entry_id id);

#endif
