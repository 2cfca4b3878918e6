/* Engine.IO by long polls: a GET waits until there is something to send, a POST brings packets. */
#include "eio_internal.h"

#include "sio_packet.h"

#include <string.h>

static void on_poll_gone(void *user)
{
	struct eio_session *session = user;

	session->poll = NULL;
}

/* The client asks again, and is refused: then it comes back to another. */
static void on_leaving(void *user)
{
	eio_answer_poll(user);
}

static const struct connection_hooks poll_hooks = {.on_leaving = on_leaving,
						   .on_gone = on_poll_gone};

static void respond(struct connection *connection, unsigned status, const char *text, size_t len)
{
	connection_respond(connection, status, "text/plain; charset=UTF-8", text, len);
}

/* As engine.io of Node says it. */
static void refuse(struct connection *connection, int code, const char *message)
{
	struct buffer body = {0};

	buffer_printf(&body, "{\"code\":%d,\"message\":\"%s\"}", code, message);
	connection_respond(connection, 400, "application/json", body.data, body.len);
	buffer_free(&body);
}

static void append_packet(struct buffer *body, const struct frame *frame)
{
	if (body->len > 0)
		buffer_append_char(body, EIO_SEPARATOR);
	buffer_append(body, frame->data + frame->header, frame->len - frame->header);
}

void eio_answer_poll(struct eio_session *session)
{
	struct connection *poll = session->poll;
	struct buffer body = {0};
	struct frame *frame;

	session->poll = NULL;
	connection_set_user(poll, NULL, NULL);
	while ((frame = outbox_take(&session->polling.outbox)) != NULL) {
		append_packet(&body, frame);
		session->eio->hub->metrics->ws_deliveries_total++;
		frame_unref(&frame);
	}
	if (body.len == 0)
		append_packet(&body, session->eio->noop);
	respond(poll, 200, body.data, body.len);
	buffer_free(&body);
	outlet_drained(&session->polling);
}

static void take_get(struct eio_session *session, struct connection *connection)
{
	if (session->poll != NULL || session->socket != NULL) {
		refuse(connection, 3, "Bad request");
		if (session->poll != NULL)
			eio_end(session, CLOSE_PROTOCOL, "two polls at once");
		return;
	}
	session->poll = connection;
	connection_set_user(connection, session, &poll_hooks);
	if (session->polling.outbox.count > 0 || session->probe != NULL)
		eio_answer_poll(session);
}

static void take_post(struct eio_session *session, struct connection *connection, const char *body,
		      size_t len)
{
	const char *packet;
	size_t packet_len;

	if (!session->trusted && len > PREAUTH_MESSAGE_MAX) {
		refuse(connection, 3, "Bad request");
		eio_end(session, CLOSE_POLICY, "too large");
		return;
	}
	while (!session->is_over && eio_next_packet(&body, &len, &packet, &packet_len)) {
		if (session->tokens == 0) {
			eio_end(session, CLOSE_TOO_MANY, "too many messages");
			break;
		}
		session->tokens--;
		eio_take(session, packet, packet_len);
	}
	respond(connection, 200, "ok", 2);
}

static void open_session(struct eio *eio, struct connection *connection)
{
	struct eio_session *session = eio_session_new(eio, connection);
	struct buffer body = {0};

	if (session == NULL) {
		refuse(connection, 4, "Forbidden");
		return;
	}
	eio_write_open(session, true, &body);
	respond(connection, 200, body.data, body.len);
	buffer_free(&body);
}

void eio_request(struct connection *connection, const struct request *request, const char *body,
		 size_t len, void *context)
{
	struct hub *hub = context;
	struct eio_session *session = NULL;
	char transport[16], version[4], sid[ID_RANDOM_LEN + 1];
	bool has_sid = request_query(request, "sid", sid, sizeof(sid));

	if (has_sid)
		session = eio_find(hub->eio, sid);
	if (!request_query(request, "EIO", version, sizeof(version)) || strcmp(version, "4") != 0)
		refuse(connection, 5, "Unsupported protocol version");
	else if (!request_query(request, "transport", transport, sizeof(transport)) ||
		 strcmp(transport, "polling") != 0)
		refuse(connection, 0, "Transport unknown");
	else if (has_sid && session == NULL)
		refuse(connection, 1, "Session ID unknown");
	else if (session == NULL && request->method != REQUEST_GET)
		refuse(connection, 2, "Bad handshake method");
	else if (session == NULL)
		open_session(hub->eio, connection);
	else if (request->method == REQUEST_GET)
		take_get(session, connection);
	else
		take_post(session, connection, body, len);
}
