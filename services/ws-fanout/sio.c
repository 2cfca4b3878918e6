#include "sio.h"

#include "catchup.h"
#include "client.h"
#include "dispatch.h"
#include "eio.h"
#include "mem.h"
#include "recovery.h"
#include "sio_packet.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sio_namespace {
	struct sio_namespace *next;
	struct eio_session *session;
	struct client *client; /* owned */
	struct recovery_id recovery;
	cJSON *rooms; /* what it followed before; owned; NULL: what its role follows by itself */
	char nsp[SIO_NAMESPACE_MAX + 1];
	bool over; /* refused or disconnected: let go at the next sweep */
};

/* ---- to the client ---- */

/* "4", the type, and the namespace where it is not "/". */
static void begin_packet(struct buffer *out, const struct sio_namespace *space, enum sio_type type)
{
	buffer_printf(out, "4%d", type);
	if (strcmp(space->nsp, "/") != 0)
		buffer_printf(out, "%s,", space->nsp);
}

static void send_packet(struct sio_namespace *space, struct buffer *packet)
{
	struct frame *frame = frame_text(packet->data, packet->len);

	outlet_send_reply(eio_outlet(space->session), frame);
	frame_unref(&frame);
	buffer_free(packet);
}

/* {"message": ..., "data": {"type": "error", "code": ...}}: what connect_error gets. */
static void send_connect_error(struct sio_namespace *space, const char *error, size_t len)
{
	struct buffer packet = {0};
	const char *fault;
	cJSON *json = json_parse(error, len, &fault);
	const char *message = json_get_str(json, "message");

	begin_packet(&packet, space, SIO_CONNECT_ERROR);
	buffer_append_str(&packet, "{\"message\":");
	json_escape(&packet, message, strlen(message));
	buffer_append_str(&packet, ",\"data\":");
	buffer_append(&packet, error, len);
	buffer_append_char(&packet, '}');
	send_packet(space, &packet);
	cJSON_Delete(json);
}

/* An id that begins with # is that of a Socket.IO acknowledgement. */
static void on_send(struct client *client, const char *type, const char *id, const char *text,
		    size_t len)
{
	struct sio_namespace *space = client->carrier;
	struct buffer packet = {0};

	if (space->over)
		return;
	if (!client->known) {
		send_connect_error(space, text, len);
		space->over = true;
		return;
	}
	begin_packet(&packet, space, id != NULL && id[0] == '#' ? SIO_ACK : SIO_EVENT);
	if (id != NULL && id[0] == '#')
		buffer_printf(&packet, "%s[", id + 1);
	else
		buffer_printf(&packet, "[\"%s\",", type);
	buffer_append(&packet, text, len);
	buffer_append_char(&packet, ']');
	send_packet(space, &packet);
}

static void on_admit(struct client *client)
{
	struct sio_namespace *space = client->carrier;
	struct entry_id at[TOPIC_COUNT];
	struct buffer packet = {0};

	eio_trust(space->session);
	if (space->rooms != NULL)
		subscriptions_restore(client,
				      cJSON_GetObjectItemCaseSensitive(space->rooms, "topics"));
	client_positions(client, at);
	recovery_begin(&space->recovery, at);
	begin_packet(&packet, space, SIO_CONNECT);
	buffer_printf(&packet, "{\"sid\":\"%s\",\"pid\":\"%s\"}", space->recovery.sid,
		      space->recovery.pid);
	send_packet(space, &packet);
}

static void on_followed(struct client *client)
{
	struct sio_namespace *space = client->carrier;
	struct buffer json = {0};
	struct json_writer writer = json_writer_init(&json);

	json_begin_object(&writer);
	client_write_topics(client, &writer);
	json_end_object(&writer);
	store_rooms_save(client->hub->link, space->recovery.sid, json.data, json.len);
	buffer_free(&json);
}

/* Who is to come back loses the transport: then the client of Socket.IO does so by itself. Who is
   not is disconnected from the namespace, and stays away. */
static void on_end(struct client *client, enum close_code code, const char *reason)
{
	struct sio_namespace *space = client->carrier;
	struct buffer packet = {0};

	if (space->over)
		return;
	if (code == CLOSE_RESYNC || code == CLOSE_GOING_AWAY || code == CLOSE_TRY_LATER) {
		eio_end(space->session, code, reason);
		return;
	}
	if (code == CLOSE_REVOKED)
		client_error(client, "session_revoked", reason, NULL);
	begin_packet(&packet, space, SIO_DISCONNECT);
	send_packet(space, &packet);
	space->over = true;
}

static const struct client_protocol protocol = {.name = "socket.io",
						.send = on_send,
						.admit = on_admit,
						.followed = on_followed,
						.end = on_end};

/* ---- namespaces ---- */

static struct sio_namespace *find(struct eio_session *session, const char *nsp)
{
	struct sio_namespace *space = *eio_namespaces(session);

	while (space != NULL && (space->over || strcmp(space->nsp, nsp) != 0))
		space = space->next;
	return space;
}

static void set_format(struct sio_namespace *space)
{
	struct client *client = space->client;

	if (client->topic != TOPIC_COUNT)
		client->format = EVENT_SIO_TOPIC;
	else
		client->format = eio_deflates(space->session) ? EVENT_SIO_DEFLATED : EVENT_SIO;
}

static struct sio_namespace *add(struct eio_session *session, const char *nsp)
{
	struct sio_namespace *space = mem_new(struct sio_namespace);
	enum topic topic;

	space->session = session;
	strcpy(space->nsp, nsp);
	space->client = client_new(eio_hub(session), &protocol, eio_outlet(session),
				   eio_address(session), eio_since_ms(session));
	space->client->carrier = space;
	if (topic_parse(nsp + 1, &topic))
		space->client->topic = (uint8_t)topic;
	set_format(space);
	space->next = *eio_namespaces(session);
	*eio_namespaces(session) = space;
	return space;
}

void sio_sweep(struct eio_session *session)
{
	struct sio_namespace **link = eio_namespaces(session);

	while (*link != NULL) {
		struct sio_namespace *space = *link;

		if (!space->over) {
			link = &space->next;
			continue;
		}
		*link = space->next;
		space->client->carrier = NULL;
		client_leave(&space->client);
		cJSON_Delete(space->rooms);
		free(space);
	}
}

void sio_leave_all(struct eio_session *session)
{
	for (struct sio_namespace *each = *eio_namespaces(session); each != NULL; each = each->next)
		each->over = true;
	sio_sweep(session);
}

void sio_moved(struct eio_session *session)
{
	for (struct sio_namespace *each = *eio_namespaces(session); each != NULL;
	     each = each->next) {
		each->client->outlet = eio_outlet(session);
		set_format(each);
	}
}

void sio_room(struct eio_session *session)
{
	for (struct sio_namespace *each = *eio_namespaces(session); each != NULL; each = each->next)
		catchup_step(each->client);
}

/* ---- from the client ---- */

/* A CONNECT while what its client followed before is asked for. */
struct pending {
	struct client *client; /* one reference */
	cJSON *auth;
};

static void on_rooms(const char *json, size_t len, void *context)
{
	struct pending *pending = context;
	struct sio_namespace *space = pending->client->carrier;
	const char *error;

	pending->client->checking = false;
	if (space != NULL && !space->over) {
		space->rooms = len > 0 ? json_parse(json, len, &error) : NULL;
		dispatch(pending->client, pending->auth);
	}
	client_unref(&pending->client);
	cJSON_Delete(pending->auth);
	free(pending);
}

static void come_back(struct sio_namespace *space, const cJSON *auth)
{
	struct pending *pending = mem_new(struct pending);

	pending->client = client_ref(space->client);
	pending->auth = cJSON_Duplicate(auth, true);
	space->client->checking = true;
	store_rooms_load(eio_hub(space->session)->link, space->recovery.sid, on_rooms, pending);
}

/* The payload is an auth message without its type; pid and offset say where it was. */
static void enter(struct sio_namespace *space, cJSON *auth)
{
	static const char invalid[] = "{\"type\":\"error\",\"code\":\"invalid_namespace\","
				      "\"message\":\"Invalid namespace\"}";
	enum topic topic;

	cJSON_DeleteItemFromObjectCaseSensitive(auth, "type");
	cJSON_AddStringToObject(auth, "type", "auth");
	if (strcmp(space->nsp, "/") != 0 && !topic_parse(space->nsp + 1, &topic))
		on_send(space->client, "error", NULL, invalid, sizeof(invalid) - 1);
	else if (recovery_read(&space->recovery, auth))
		come_back(space, auth);
	else
		dispatch(space->client, auth);
}

static void take_connect(struct eio_session *session, const struct sio_packet *packet)
{
	const char *error;
	cJSON *auth = packet->len > 0 ? json_parse(packet->data, packet->len, &error) : NULL;

	if (!cJSON_IsObject(auth)) {
		cJSON_Delete(auth);
		auth = cJSON_CreateObject();
	}
	if (find(session, packet->nsp) == NULL)
		enter(add(session, packet->nsp), auth);
	cJSON_Delete(auth);
}

/* ["subscribe", {...}] is the message {"type": "subscribe", ...}. */
static void take_event(struct client *client, const struct sio_packet *packet)
{
	const char *error = "an event must be an array that begins with a name";
	cJSON *json = json_parse(packet->data, packet->len, &error), *message;
	const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(json, 0));
	char id[SIO_ID_MAX + 2];

	if (!cJSON_IsArray(json) || name == NULL) {
		client_error(client, "bad_message", error, NULL);
		cJSON_Delete(json);
		return;
	}
	message = cJSON_DetachItemFromArray(json, 1);
	if (!cJSON_IsObject(message)) {
		cJSON_Delete(message);
		message = cJSON_CreateObject();
	}
	cJSON_DeleteItemFromObjectCaseSensitive(message, "type");
	cJSON_AddStringToObject(message, "type", name);
	if (packet->id[0] != '\0') {
		snprintf(id, sizeof(id), "#%s", packet->id);
		cJSON_DeleteItemFromObjectCaseSensitive(message, "id");
		cJSON_AddStringToObject(message, "id", id);
	}
	dispatch(client, message);
	cJSON_Delete(message);
	cJSON_Delete(json);
}

void sio_take(struct eio_session *session, const char *text, size_t len)
{
	struct sio_packet packet;
	struct sio_namespace *space;

	if (!sio_packet_parse(text, len, &packet)) {
		eio_end(session, CLOSE_PROTOCOL, "not a packet of Socket.IO 5");
		return;
	}
	space = find(session, packet.nsp);
	if (packet.type == SIO_CONNECT)
		take_connect(session, &packet);
	else if (packet.type == SIO_EVENT && space != NULL && space->client->known)
		take_event(space->client, &packet);
	else if (packet.type == SIO_DISCONNECT && space != NULL)
		space->over = true;
	sio_sweep(session);
}
