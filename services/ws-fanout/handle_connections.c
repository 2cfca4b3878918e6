/* /api/admin/ws/connections: who is there, from where, since when, how far behind; and out. */
#include "catchup.h"
#include "client.h"
#include "clock.h"
#include "http_audit.h"
#include "hub.h"
#include "routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How late the oldest event is that has not gone out: in ms, 0 for none. */
static int64_t lag_ms(const struct client *client)
{
	int64_t oldest = outbox_oldest_ms(&client->outlet->outbox), lag;

	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		struct entry_id at;

		if (catchup_position(client, topic, &at) &&
		    (oldest == 0 || (int64_t)at.ms < oldest))
			oldest = (int64_t)at.ms;
	}
	lag = oldest > 0 ? clock_wall_ms() - oldest : 0;
	return lag > 0 ? lag : 0;
}

/* Those that wait for the socket, and those in memory that it is to catch up with: there may be
   more in Redis. */
static int64_t lag_events(const struct client *client)
{
	size_t events = outbox_events(&client->outlet->outbox);

	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		struct entry_id at;

		if (catchup_position(client, topic, &at))
			events += backlog_count_after(client->hub->backlogs[topic], at);
	}
	return (int64_t)events;
}

static void write_client(struct json_writer *writer, const struct client *client)
{
	json_begin_object(writer);
	client_write_id(client, writer);
	json_field_str(writer, "transport", client->protocol->name);
	json_field_str(writer, "address", client->address);
	json_field_int(writer, "connectedAt", client->since_ms);
	json_field_bool(writer, "authenticated", client->known);
	if (client->known) {
		json_field_str(writer, "userId", client->who.user_id);
		json_field_str(writer, "username", client->who.username);
		json_field_str(writer, "role", role_name(client->who.role));
		json_field_str(writer, "extension", client->who.extension);
		json_field_int(writer, "expiresAt", client->who.expires_at_ms);
		client_write_topics(client, writer);
	}
	json_field_int(writer, "queuedFrames", (int64_t)client->outlet->outbox.count);
	json_field_int(writer, "queuedBytes", (int64_t)client->outlet->outbox.bytes);
	json_field_int(writer, "lagEvents", lag_events(client));
	json_field_int(writer, "lagMs", lag_ms(client));
	json_field_bool(writer, "catchingUp", client->catchup != NULL);
	json_end_object(writer);
}

/* A cursor is the id of the last connection of the page before. */
static bool parse_cursor(const char *cursor, uint64_t *after_r)
{
	char *end;

	*after_r = 0;
	if (cursor == NULL)
		return true;
	errno = 0;
	*after_r = strtoull(cursor, &end, 10);
	return cursor[0] >= '0' && cursor[0] <= '9' && *end == '\0' && errno == 0;
}

/* A manager sees who is of its teams, and itself. */
static bool is_shown(const struct client *client, const struct principal *who)
{
	if (!client_is_open(client))
		return false;
	if (reach_is_all(who, PERMISSION_VIEW_ADMIN))
		return true;
	return client->known && (strcmp(client->who.user_id, who->user_id) == 0 ||
				 reach_sees(who, PERMISSION_VIEW_ADMIN, client->who.extension));
}

static const struct client *first_after(const struct hub *hub, uint64_t after)
{
	const struct client *client = hub->first;

	while (client != NULL && client->id <= after)
		client = client->next;
	return client;
}

void handle_connections(struct http_request *request, void *context)
{
	struct hub *hub = context;
	struct buffer out = {0};
	struct http_page asked;
	uint64_t after;

	if (!http_page(request, &asked))
		return;
	if (!parse_cursor(asked.cursor, &after)) {
		http_reply_error(request, 400, "bad_cursor", "cursor is not one of ours");
		return;
	}
	struct json_writer writer = json_writer_init(&out);
	const struct client *each = first_after(hub, after);

	json_begin_object(&writer);
	json_key(&writer, "connections");
	json_begin_array(&writer);
	for (; each != NULL && asked.limit > 0; each = each->next) {
		if (!is_shown(each, http_principal(request)))
			continue;
		write_client(&writer, each);
		after = each->id;
		asked.limit--;
	}
	json_end_array(&writer);
	json_key(&writer, "nextCursor");
	if (each != NULL) {
		char next[24];

		snprintf(next, sizeof(next), "%llu", (unsigned long long)after);
		json_str(&writer, next);
	} else {
		json_null(&writer);
	}
	json_end_object(&writer);
	http_reply_json(request, 200, &out);
}

/* DELETE: the client is told that its session ended here, and does not come back by itself. */
void handle_disconnect(struct http_request *request, void *context)
{
	struct hub *hub = context;
	const char *name = http_param(request, "connectionId");
	size_t prefix = strlen(hub->prefix);
	uint64_t id = 0;
	struct client *client = hub->first;

	if (strncmp(name, hub->prefix, prefix) == 0 && name[prefix] == '-')
		(void)parse_cursor(name + prefix + 1, &id);
	while (client != NULL && client->id != id)
		client = client->next;
	if (client == NULL || !client_is_open(client)) {
		http_reply_error(request, 404, "not_found", "there is no such connection");
		return;
	}
	(void)http_audit(hub->link, request, "connection:closed", client->who.username, name);
	client_end(client, CLOSE_REVOKED, "closed by an administrator");
	http_reply_json(request, 204, NULL);
}
