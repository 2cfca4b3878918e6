#include "hub.h"

#include "catchup.h"
#include "client.h"
#include "log.h"

#include <string.h>

void hub_start(struct hub *hub, const struct entry_id *tips)
{
	for (int i = 0; i < TOPIC_COUNT; i++)
		hub->backlogs[i] = backlog_new(tips[i], (size_t)hub->settings->backlog_kb * 1024);
}

bool hub_is_started(const struct hub *hub)
{
	return hub->backlogs[0] != NULL;
}

void hub_stop(struct hub *hub)
{
	for (int i = 0; i < TOPIC_COUNT; i++)
		backlog_free(&hub->backlogs[i]);
}

static void deliver(struct occupant *occupant, struct event *event, void *context)
{
	struct client *client = (struct client *)occupant;

	(void)context;
	if (client->connection == NULL)
		return;
	if (catchup_holds(client, event->topic))
		catchup_step(client);
	else
		connection_send(client->connection, event->frame);
}

struct revocation {
	struct hub *hub;
	const char *session_id;
};

static bool close_if_revoked(struct connection *connection, void *context)
{
	struct revocation *revocation = context;
	struct client *client = connection_user(connection);

	if (!client->known || strcmp(client->who.session_id, revocation->session_id) != 0)
		return true;
	revocation->hub->metrics->ws_revoked_total++;
	connection_close(connection, CLOSE_REVOKED, "session revoked");
	return true;
}

static void close_revoked(struct hub *hub, const char *session_id)
{
	struct revocation revocation = {hub, session_id};

	log_debug("session revoked", log_str("session_id", session_id));
	ws_server_each(hub->server, 0, close_if_revoked, &revocation);
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
	backlog_add(hub->backlogs[event->topic], event);
	rooms_each(hub->rooms, event, deliver, NULL);
	if (event->revoked_session != NULL)
		close_revoked(hub, event->revoked_session);
	event_unref(&event);
}

void hub_skip(struct hub *hub, enum topic topic, struct entry_id id)
{
	hub->metrics->ws_events_malformed_total++;
	backlog_skip(hub->backlogs[topic], id);
}
