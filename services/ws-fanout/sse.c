#include "sse.h"

#include "catchup.h"
#include "client.h"
#include "dispatch.h"
#include "mem.h"
#include "offset.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIST_MAX 1024 /* bytes of a list in the query */

struct sse {
	struct connection *connection;
	struct client *client; /* owned */
	cJSON *topics;         /* what the query asks for; owned; NULL: what the role follows */
};

/* ---- to the client ---- */

static void send_raw(struct client *client, const struct buffer *text)
{
	struct frame *frame = frame_raw(text->data, text->len);

	outlet_send_reply(client->outlet, frame);
	frame_unref(&frame);
}

static unsigned status_of(const char *code)
{
	if (strcmp(code, "unavailable") == 0)
		return 503;
	return strcmp(code, "bad_message") == 0 ? 400 : 401;
}

/* Nobody is known yet: an answer of HTTP, in the one error shape. */
static void refuse(struct sse *sse, const char *text, size_t len)
{
	const char *fault;
	cJSON *json = json_parse(text, len, &fault);
	struct request_refusal refusal = {.code = json_get_str(json, "code"),
					  .message = json_get_str(json, "message")};

	refusal.status = status_of(refusal.code);
	connection_refuse(sse->connection, &refusal);
	cJSON_Delete(json);
}

static void on_send(struct client *client, const char *type, const char *id, const char *text,
		    size_t len)
{
	struct buffer out = {0};

	(void)id;
	if (!client->known) {
		refuse(client->carrier, text, len);
		return;
	}
	buffer_printf(&out, "event: %s\ndata: ", type);
	for (size_t i = 0; i < len; i++)
		buffer_append_char(&out, text[i] == '\n' || text[i] == '\r' ? ' ' : text[i]);
	buffer_append_str(&out, "\n\n");
	send_raw(client, &out);
	buffer_free(&out);
}

static void on_admit(struct client *client)
{
	struct sse *sse = client->carrier;

	connection_stream(sse->connection);
	if (sse->topics != NULL)
		subscriptions_restore(client, sse->topics);
}

static void on_end(struct client *client, enum close_code code, const char *reason)
{
	struct sse *sse = client->carrier;

	if (code == CLOSE_REVOKED)
		client_error(client, "session_revoked", reason, NULL);
	connection_close(sse->connection, code, reason);
}

static const struct client_protocol protocol = {
	.name = "sse", .send = on_send, .admit = on_admit, .end = on_end};

/* ---- the connection ---- */

static void on_room(void *user)
{
	struct sse *sse = user;

	catchup_step(sse->client);
}

/* "retry" is when a reader of events comes back. */
static void on_leaving(void *user)
{
	struct sse *sse = user;
	uint32_t spread = (uint32_t)sse->client->hub->settings->spread_ms;
	struct buffer text = {0};

	if (sse->client->known) {
		buffer_printf(&text, "retry: %u\n\n", (unsigned)randombytes_uniform(spread + 1));
		send_raw(sse->client, &text);
		buffer_free(&text);
	}
	connection_close(sse->connection, CLOSE_GOING_AWAY, "going away");
}

static void on_gone(void *user)
{
	struct sse *sse = user;

	sse->client->carrier = NULL;
	client_leave(&sse->client);
	cJSON_Delete(sse->topics);
	free(sse);
}

/* ---- the request ---- */

/* "a,b" of the query as an array; absent: NULL. */
static cJSON *query_list(const struct request *request, const char *name)
{
	char list[LIST_MAX], *rest = list, *part;
	cJSON *array;

	if (!request_query(request, name, list, sizeof(list)) || list[0] == '\0')
		return NULL;
	array = cJSON_CreateArray();
	while ((part = strsep(&rest, ",")) != NULL)
		cJSON_AddItemToArray(array, cJSON_CreateString(part));
	return array;
}

static void add_list(cJSON *entry, const struct request *request, const char *name)
{
	cJSON *list = query_list(request, name);

	if (list != NULL)
		cJSON_AddItemToObject(entry, name, list);
}

static cJSON *read_topics(const struct request *request)
{
	cJSON *names = query_list(request, "topics"), *topics, *name;

	if (names == NULL)
		return NULL;
	topics = cJSON_CreateArray();
	cJSON_ArrayForEach(name, names)
	{
		cJSON *entry = cJSON_CreateObject();

		cJSON_AddStringToObject(entry, "topic", name->valuestring);
		add_list(entry, request, "extensions");
		add_list(entry, request, "queues");
		add_list(entry, request, "types");
		add_list(entry, request, "teams");
		cJSON_AddItemToArray(topics, entry);
	}
	cJSON_Delete(names);
	return topics;
}

/* A token may come in the header alone: addresses end up in logs. A ticket is worth nothing there.
 */
static void add_credentials(cJSON *auth, const struct request *request)
{
	struct request_text token = request->authorization;
	char text[4097], ticket[65];

	if (token.len > 7 && strncasecmp(token.at, "Bearer ", 7) == 0 &&
	    token.len - 7 < sizeof(text)) {
		memcpy(text, token.at + 7, token.len - 7);
		text[token.len - 7] = '\0';
		cJSON_AddStringToObject(auth, "token", text);
	} else if (request_query(request, "ticket", ticket, sizeof(ticket))) {
		cJSON_AddStringToObject(auth, "ticket", ticket);
	}
}

/* Last-Event-ID counts more than the address, which stays the same when a reader comes back. */
static void add_since(cJSON *auth, const struct request *request)
{
	struct request_text last = request->last_event_id;
	char text[OFFSET_TEXT_MAX];
	struct positions positions;

	if (last.len > 0 && last.len < sizeof(text)) {
		memcpy(text, last.at, last.len);
		text[last.len] = '\0';
	} else if (!request_query(request, "since", text, sizeof(text))) {
		return;
	}
	if (offset_parse(text, &positions))
		cJSON_AddItemToObject(auth, "since", positions_to_json(&positions));
	else
		cJSON_AddStringToObject(auth, "since", "not an offset");
}

static cJSON *read_auth(const struct request *request)
{
	cJSON *auth = cJSON_CreateObject();
	char snapshot[8];

	cJSON_AddStringToObject(auth, "type", "auth");
	add_credentials(auth, request);
	add_since(auth, request);
	if (request_query(request, "snapshot", snapshot, sizeof(snapshot)))
		cJSON_AddBoolToObject(auth, "snapshot", strcmp(snapshot, "true") == 0);
	return auth;
}

void sse_request(struct connection *connection, const struct request *request, const char *body,
		 size_t len, void *context)
{
	static const struct request_refusal not_get = {405, "method_not_allowed",
						       "a stream of events begins with GET"};
	static const struct request_refusal nobody = {401, "unauthorized",
						      "a token or a ticket is needed"};
	static const struct connection_hooks hooks = {
		.on_room = on_room, .on_leaving = on_leaving, .on_gone = on_gone};
	struct sse *sse;
	cJSON *auth;

	(void)body;
	(void)len;
	auth = read_auth(request);
	if (request->method != REQUEST_GET ||
	    (!cJSON_HasObjectItem(auth, "token") && !cJSON_HasObjectItem(auth, "ticket"))) {
		connection_refuse(connection, request->method != REQUEST_GET ? &not_get : &nobody);
		cJSON_Delete(auth);
		return;
	}
	sse = mem_new(struct sse);
	sse->connection = connection;
	sse->topics = read_topics(request);
	sse->client = client_new(context, &protocol, connection_outlet(connection),
				 connection_address(connection), connection_since_ms(connection));
	sse->client->carrier = sse;
	sse->client->format = EVENT_SSE;
	connection_outlet(connection)->open = true; /* nothing goes out before on_admit() */
	connection_set_user(connection, sse, &hooks);
	dispatch(sse->client, auth);
	cJSON_Delete(auth);
}
