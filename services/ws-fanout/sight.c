#include "sight.h"

#include "client.h"
#include "team_filter.h"

#include <string.h>

bool sight_is_all(const struct client *client, enum topic topic)
{
	return reach_is_all(&client->who, topic_permission(topic));
}

bool sight_of_extension(const struct client *client, enum topic topic, const char *extension)
{
	return reach_sees(&client->who, topic_permission(topic), extension);
}

/* Whoever sits in a room may see what comes there, but for the teams. A client's message that no
   agent has is for all who oversee clients. */
bool sight_of_event(const struct client *client, const struct event *event)
{
	bool anyones = event->topic == TOPIC_CRM;

	if (!topic_has_teams(event->topic) || sight_is_all(client, event->topic))
		return true;
	for (unsigned i = 0; i < event->room_count; i++) {
		if (strncmp(event->rooms[i], ROOM_QUEUE, strlen(ROOM_QUEUE)) == 0)
			continue;
		if (sight_of_extension(client, event->topic, event->rooms[i]))
			return true;
		anyones = false;
	}
	return anyones;
}

/* Everyone's are named by whoever sees everyone. */
bool sight_of_team(const struct client *client, enum topic topic, const char *team)
{
	const char *at = client->who.teams;
	size_t len = strlen(team);

	if (sight_is_all(client, topic))
		return true;
	while ((at = strstr(at, team)) != NULL) {
		bool begins = at == client->who.teams || at[-1] == ' ';

		if (begins && (at[len] == ' ' || at[len] == '\0'))
			return principal_may(&client->who, topic_permission(topic));
		at += len;
	}
	return false;
}

struct listing {
	const struct client *client;
	enum topic topic;
	struct buffer *out;
};

static void write_seen(const char *extension, void *context)
{
	const struct listing *listing = context;

	if (!sight_of_extension(listing->client, listing->topic, extension))
		return;
	if (listing->out->len > 0)
		buffer_append_char(listing->out, ',');
	buffer_append_str(listing->out, extension);
}

void sight_write(const struct client *client, enum topic topic, struct buffer *out)
{
	const char *teams = team_filter_of(client->teams, topic);
	struct listing listing = {client, topic, out};

	if (teams != NULL)
		teams_each(client->hub->teams, teams, write_seen, &listing);
	else if (sight_is_all(client, topic) ||
		 (!topic_has_teams(topic) && topic_view(topic, &client->who) == TOPIC_VIEW_ALL))
		buffer_append_char(out, '*');
	else
		reach_write(&client->who, topic_permission(topic), out);
}

static void on_checked(enum auth_result result, const struct principal *who, void *context)
{
	struct client *client = context;

	if (result == AUTH_OK)
		strcpy(client->who.teams, who->teams);
	else if (result == AUTH_UNAVAILABLE)
		client->hub->sight_is_old = true;
	client_unref(&client);
}

/* One whose session has ended is told so by its own event. What cannot be asked now is asked with a
   later tick. */
void sight_refresh(struct hub *hub)
{
	hub->sight_is_old = false;
	for (struct client *each = hub->first; each != NULL; each = each->next)
		if (each->known && each->who.role != ROLE_AGENT &&
		    strcmp(each->who.teams, "*") != 0)
			auth_check_session(hub->auth, each->who.session_id, on_checked,
					   client_ref(each));
}
