/* Engine.IO on a WebSocket: from the start, or taking over from polls (probe, then upgrade). */
#include "eio_internal.h"

#include "sio.h"
#include "sio_packet.h"

#include <string.h>

static void send_text(struct connection *connection, const char *text, size_t len)
{
	struct frame *frame = frame_text(text, len);

	outlet_send_reply(connection_outlet(connection), frame);
	frame_unref(&frame);
}

/* What waits for polls goes over, in order. */
static void take_over(struct eio_session *session)
{
	session->socket = session->probe;
	session->probe = NULL;
	if (session->poll != NULL)
		eio_answer_poll(session);
	while (session->polling.outbox.count > 0) {
		struct frame *frame = outbox_take(&session->polling.outbox);

		outlet_send_reply(connection_outlet(session->socket), frame);
		frame_unref(&frame);
	}
	sio_moved(session);
	if (session->trusted)
		eio_trust(session);
}

static void take_probe(struct eio_session *session, const char *text, size_t len)
{
	if (len == 6 && memcmp(text, "2probe", 6) == 0) {
		send_text(session->probe, "3probe", 6);
		if (session->poll != NULL)
			eio_answer_poll(session); /* the client lets go of its polls */
	} else if (len == 1 && text[0] == EIO_UPGRADE) {
		take_over(session);
	} else {
		connection_close(session->probe, CLOSE_PROTOCOL, "not a probe");
	}
}

static void on_message(void *user, const char *text, size_t len)
{
	struct eio_session *session = user;

	if (session->is_over)
		return;
	if (session->socket == NULL)
		take_probe(session, text, len);
	else
		eio_take(session, text, len);
}

static void on_room(void *user)
{
	struct eio_session *session = user;

	if (session->socket != NULL)
		sio_room(session);
}

static void on_gone(void *user)
{
	struct eio_session *session = user;

	if (session->socket == NULL) {
		session->probe = NULL;
		return;
	}
	session->socket = NULL;
	eio_end(session, CLOSE_NORMAL, "gone");
}

static const struct connection_hooks hooks = {
	.on_message = on_message, .on_room = on_room, .on_gone = on_gone};

static void open_session(struct eio *eio, struct connection *connection)
{
	struct eio_session *session = eio_session_new(eio, connection);
	struct buffer text = {0};

	if (session == NULL) {
		connection_close(connection, CLOSE_TRY_LATER, "too many sessions");
		return;
	}
	session->socket = connection;
	connection_set_user(connection, session, &hooks);
	eio_write_open(session, false, &text);
	send_text(connection, text.data, text.len);
	buffer_free(&text);
}

void eio_open(struct connection *connection, const struct request *request, void *context)
{
	struct hub *hub = context;
	struct eio_session *session;
	char version[4], sid[ID_RANDOM_LEN + 1];

	if (!request_query(request, "EIO", version, sizeof(version)) || strcmp(version, "4") != 0) {
		connection_close(connection, CLOSE_POLICY, "Engine.IO 4 is spoken here");
		return;
	}
	if (!request_query(request, "sid", sid, sizeof(sid))) {
		open_session(hub->eio, connection);
		return;
	}
	session = eio_find(hub->eio, sid);
	if (session == NULL || session->socket != NULL || session->probe != NULL) {
		connection_close(connection, CLOSE_POLICY, "no such session to take over");
		return;
	}
	session->probe = connection;
	connection_set_user(connection, session, &hooks);
}
