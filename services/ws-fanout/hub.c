#include "hub.h"

#include "catchup.h"
#include "client.h"
#include "log.h"
#include "sight.h"
#include "store.h"
#include "stream_lag.h"
#include "teams.h"

#define SOCKETS_S 20
#define LAG_S     5

#include <string.h>

/* The oldest entry is where the backlog begins: what lies before it is not known here. */
void hub_load(struct hub *hub, enum topic topic, const struct store_entry *entries, size_t count)
{
	struct entry_id start = count > 0 ? entries[0].id : (struct entry_id){0, 0};
	const char *error;

	backlog_free(&hub->backlogs[topic]);
	hub->backlogs[topic] = backlog_new(start, (size_t)hub->settings->backlog_kb * 1024);
	for (size_t i = 1; i < count; i++) {
		struct event *event =
			event_new(topic, entries[i].id, entries[i].data, entries[i].len, &error);

		if (event != NULL)
			backlog_add(hub->backlogs[topic], event);
		else
			backlog_skip(hub->backlogs[topic], entries[i].id);
		event_unref(&event);
	}
}

void hub_start(struct hub *hub)
{
	hub->started = true;
}

bool hub_is_started(const struct hub *hub)
{
	return hub->started;
}

void hub_stop(struct hub *hub)
{
	hub->started = false;
	for (int i = 0; i < TOPIC_COUNT; i++)
		backlog_free(&hub->backlogs[i]);
}

static void deliver(struct occupant *occupant, struct event *event, void *context)
{
	struct client *client = (struct client *)occupant;

	(void)context;
	if (catchup_holds(client, event->topic))
		catchup_step(client);
	else
		client_send_event(client, event);
}

static void close_revoked(struct hub *hub, const char *session_id)
{
	struct client *next;

	log_debug("session revoked", log_str("session_id", session_id));
	for (struct client *each = hub->first; each != NULL; each = next) {
		next = each->next;
		if (!each->known || strcmp(each->who.session_id, session_id) != 0)
			continue;
		hub->metrics->ws_revoked_total++;
		client_end(each, CLOSE_REVOKED, "session revoked");
	}
}

/* Every SOCKETS_S seconds, in commands of bounded length. */
static void tell_sockets(struct hub *hub)
{
	const char *extensions[STORE_SOCKETS_MAX];
	size_t count = 0;

	for (struct client *each = hub->first; each != NULL; each = each->next) {
		if (!each->known || !client_is_open(each) || each->who.extension[0] == '\0')
			continue;
		extensions[count++] = each->who.extension;
		if (count < STORE_SOCKETS_MAX)
			continue;
		store_sockets(hub->link, extensions, count);
		count = 0;
	}
	store_sockets(hub->link, extensions, count);
}

void hub_tick(struct hub *hub)
{
	struct client *next;

	if (hub->ticks % SOCKETS_S == 0)
		tell_sockets(hub);
	if (hub->ticks++ % LAG_S == 0)
		stream_lag_ask(hub);
	if (hub->sight_is_old && redis_link_is_up(hub->link))
		sight_refresh(hub);

	for (struct client *each = hub->first; each != NULL; each = next) {
		next = each->next; /* a tick may end this one */
		client_tick(each);
	}
}

bool hub_was_revoked(const struct hub *hub, struct entry_id since, const char *session_id)
{
	const struct backlog *sessions = hub->backlogs[TOPIC_SESSION];
	const struct event *event;

	while ((event = backlog_after(sessions, since)) != NULL) {
		if (event->revoked_session != NULL &&
		    strcmp(event->revoked_session, session_id) == 0)
			return true;
		since = event->id;
	}
	return false;
}

void hub_publish(struct hub *hub, struct event *event)
{
	hub->metrics->ws_events_total++;
	hub->streams[event->topic].ws_stream_events_total++;
	backlog_add(hub->backlogs[event->topic], event);
	rooms_each(hub->rooms, event, deliver, NULL);
	if (event->revoked_session != NULL)
		close_revoked(hub, event->revoked_session);
	if (event->topic == TOPIC_SESSION && strcmp(event->type, "session:teams_changed") == 0) {
		teams_load(hub->teams, NULL, NULL);
		sight_refresh(hub);
	}
	event_drop_frames(event); /* who still needs one holds it */
	event_unref(&event);
}

void hub_skip(struct hub *hub, enum topic topic, struct entry_id id)
{
	hub->metrics->ws_events_malformed_total++;
	backlog_skip(hub->backlogs[topic], id);
}
