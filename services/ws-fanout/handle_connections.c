/* GET /api/admin/ws/connections: who is there, from where, since when, what waits for them. */
#include "client.h"
#include "hub.h"
#include "routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct page {
	const struct hub *hub;
	struct json_writer writer;
	size_t left;
	uint64_t last; /* the id of the last one that was written */
	bool more;
};

static void write_connection(struct page *page, const struct connection *connection)
{
	const struct client *client = connection_user(connection);
	struct json_writer *writer = &page->writer;
	char name[40];

	snprintf(name, sizeof(name), "%s-%llu", page->hub->prefix,
		 (unsigned long long)connection_id(connection));
	json_begin_object(writer);
	json_field_str(writer, "connectionId", name);
	json_field_str(writer, "address", connection_address(connection));
	json_field_int(writer, "connectedAt", connection_since_ms(connection));
	json_field_bool(writer, "authenticated", client->known);
	if (client->known) {
		json_field_str(writer, "userId", client->who.user_id);
		json_field_str(writer, "username", client->who.username);
		json_field_str(writer, "role", role_name(client->who.role));
		json_field_str(writer, "extension", client->who.extension);
		json_field_int(writer, "expiresAt", client->who.expires_at_ms);
		client_write_topics(client, writer);
	}
	json_field_int(writer, "queuedFrames", (int64_t)connection_queued_frames(connection));
	json_field_int(writer, "queuedBytes", (int64_t)connection_queued(connection));
	json_field_bool(writer, "catchingUp", client->catchup != NULL);
	json_end_object(writer);
}

static bool add(struct connection *connection, void *context)
{
	struct page *page = context;

	if (page->left == 0) {
		page->more = true;
		return false;
	}
	page->left--;
	page->last = connection_id(connection);
	write_connection(page, connection);
	return true;
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
	struct page page = {.hub = hub, .writer = json_writer_init(&out), .left = asked.limit};
	json_begin_object(&page.writer);
	json_key(&page.writer, "connections");
	json_begin_array(&page.writer);
	ws_server_each(hub->server, after, add, &page);
	json_end_array(&page.writer);
	json_key(&page.writer, "nextCursor");
	if (page.more) {
		char next[24];
		snprintf(next, sizeof(next), "%llu", (unsigned long long)page.last);
		json_str(&page.writer, next);
	} else {
		json_null(&page.writer);
	}
	json_end_object(&page.writer);
	http_reply_json(request, 200, &out);
}
