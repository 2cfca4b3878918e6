#include "eio_internal.h"

#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "sio.h"
#include "sio_packet.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS         1000
#define PING_TIMEOUT_MS 20000
/* Packets per second, and at once, that may come by polls. */
#define TOKENS_REFILL 50
#define TOKENS_MAX    200

/* ---- the table ---- */

static int compare_sessions(const void *a, const void *b)
{
	return strcmp(((const struct eio_session *)a)->sid, ((const struct eio_session *)b)->sid);
}

struct eio_session *eio_find(struct eio *eio, const char *sid)
{
	struct eio_session key, **found;

	if (strlen(sid) >= sizeof(key.sid))
		return NULL;
	strcpy(key.sid, sid);
	found = tfind(&key, &eio->tree, compare_sessions);
	return found != NULL ? *found : NULL;
}

static void enlist(struct eio *eio, struct eio_session *session)
{
	if (tsearch(session, &eio->tree, compare_sessions) == NULL)
		abort(); /* no memory: as mem.h */
	session->next = eio->first;
	if (eio->first != NULL)
		eio->first->prev = session;
	eio->first = session;
	eio->count++;
}

static void delist(struct eio *eio, struct eio_session *session)
{
	tdelete(session, &eio->tree, compare_sessions);
	if (session->prev != NULL)
		session->prev->next = session->next;
	else
		eio->first = session->next;
	if (session->next != NULL)
		session->next->prev = session->prev;
	eio->count--;
}

/* ---- polls as an outlet ---- */

static struct eio_session *of_outlet(struct outlet *outlet)
{
	return (struct eio_session *)((char *)outlet - offsetof(struct eio_session, polling));
}

static void on_wake(struct outlet *outlet)
{
	struct eio_session *session = of_outlet(outlet);

	if (session->poll != NULL)
		eio_answer_poll(session);
}

static void on_close(struct outlet *outlet, enum close_code code, const char *reason)
{
	eio_end(of_outlet(outlet), code, reason);
}

static void on_room(struct outlet *outlet)
{
	sio_room(of_outlet(outlet));
}

/* ---- sessions ---- */

struct eio_session *eio_session_new(struct eio *eio, struct connection *connection)
{
	static const struct outlet_class polls = {
		.wake = on_wake, .close = on_close, .on_room = on_room};
	struct eio_session *session;

	if (eio->count >= (size_t)eio->hub->settings->connections_max)
		return NULL;
	session = mem_new(struct eio_session);
	id_random(session->sid);
	session->eio = eio;
	session->polling.class = &polls;
	session->polling.limits = ws_server_limits(eio->hub->server);
	session->polling.open = true;
	session->since_ms = connection_since_ms(connection);
	session->pinged_ms = clock_mono_ms();
	session->tokens = TOKENS_MAX;
	strncpy(session->address, connection_address(connection), sizeof(session->address) - 1);
	enlist(eio, session);
	return session;
}

void eio_write_open(const struct eio_session *session, bool upgrades, struct buffer *out)
{
	const struct fanout_settings *settings = session->eio->hub->settings;

	buffer_printf(out,
		      "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%lld,"
		      "\"pingTimeout\":%d,\"maxPayload\":%lld}",
		      session->sid, upgrades ? "\"websocket\"" : "", (long long)settings->ping_ms,
		      PING_TIMEOUT_MS, (long long)settings->message_max);
}

static void close_socket(struct connection *connection, enum close_code code, const char *reason)
{
	if (connection == NULL)
		return;
	connection_set_user(connection, NULL, NULL);
	connection_close(connection, code, reason);
}

/* Its clients and its memory go with the next tick: who called may still look at them. */
void eio_end(struct eio_session *session, enum close_code code, const char *reason)
{
	struct connection *socket = session->socket;

	if (session->is_over)
		return;
	session->is_over = true;
	session->polling.open = false;
	session->socket = NULL;
	delist(session->eio, session);
	session->next = session->eio->ended;
	session->eio->ended = session;
	sio_moved(session); /* to the outlet that is not open any more */
	close_socket(socket, code, reason);
	close_socket(session->probe, code, reason);
	if (session->poll != NULL)
		eio_answer_poll(session);
}

static void free_ended(struct eio *eio)
{
	while (eio->ended != NULL) {
		struct eio_session *session = eio->ended;

		eio->ended = session->next;
		sio_leave_all(session);
		outbox_free(&session->polling.outbox);
		free(session);
	}
}

void eio_take(struct eio_session *session, const char *packet, size_t len)
{
	if (len == 0) {
		eio_end(session, CLOSE_PROTOCOL, "an empty packet");
		return;
	}
	switch (packet[0]) {
	case EIO_MESSAGE:
		sio_take(session, packet + 1, len - 1);
		break;
	case EIO_PONG:
		session->deadline_ms = 0;
		break;
	case EIO_CLOSE:
		eio_end(session, CLOSE_NORMAL, "closed by the client");
		break;
	case EIO_UPGRADE: /* asked for again */
	case EIO_NOOP:
		break;
	default:
		eio_end(session, CLOSE_PROTOCOL, "not a packet of Engine.IO 4");
		break;
	}
}

/* ---- time ---- */

static void tick(struct eio_session *session, int64_t now_ms)
{
	session->tokens = session->tokens > TOKENS_MAX - TOKENS_REFILL
				  ? TOKENS_MAX
				  : (uint16_t)(session->tokens + TOKENS_REFILL);
	if (session->deadline_ms != 0 && now_ms >= session->deadline_ms) {
		session->eio->hub->metrics->ws_gone_total++;
		eio_end(session, CLOSE_GOING_AWAY, "no answer to a ping");
		return;
	}
	if (now_ms - session->pinged_ms >= session->eio->hub->settings->ping_ms) {
		session->pinged_ms = now_ms;
		if (session->deadline_ms == 0)
			session->deadline_ms = now_ms + PING_TIMEOUT_MS;
		outlet_send_reply(eio_outlet(session), session->eio->ping);
	}
	outlet_judge(&session->polling);
	sio_sweep(session);
}

static void on_tick(void *context)
{
	struct eio *eio = context;
	int64_t now_ms = clock_mono_ms();
	struct eio_session *next;

	free_ended(eio);
	for (struct eio_session *each = eio->first; each != NULL; each = next) {
		next = each->next;
		tick(each, now_ms);
	}
}

/* ---- life ---- */

struct eio *eio_new(uv_loop_t *loop, struct hub *hub)
{
	struct eio *eio = mem_new(struct eio);

	eio->hub = hub;
	eio->ping = frame_text("2", 1);
	eio->noop = frame_text("6", 1);
	eio->ticker = timer_start(loop, TICK_MS, TICK_MS, on_tick, eio);
	return eio;
}

void eio_free(struct eio **eio)
{
	struct eio *old = *eio;

	*eio = NULL;
	if (old == NULL)
		return;
	timer_stop(&old->ticker);
	while (old->first != NULL)
		eio_end(old->first, CLOSE_GOING_AWAY, "going away");
	free_ended(old);
	frame_unref(&old->ping);
	frame_unref(&old->noop);
	free(old);
}

/* ---- for sio.c ---- */

struct hub *eio_hub(const struct eio_session *session)
{
	return session->eio->hub;
}

struct outlet *eio_outlet(struct eio_session *session)
{
	return session->socket != NULL ? connection_outlet(session->socket) : &session->polling;
}

bool eio_deflates(const struct eio_session *session)
{
	return session->socket != NULL && connection_deflates(session->socket);
}

const char *eio_address(const struct eio_session *session)
{
	return session->address;
}

int64_t eio_since_ms(const struct eio_session *session)
{
	return session->since_ms;
}

struct sio_namespace **eio_namespaces(struct eio_session *session)
{
	return &session->namespaces;
}

void eio_trust(struct eio_session *session)
{
	session->trusted = true;
	if (session->socket != NULL)
		connection_set_message_max(session->socket,
					   (size_t)session->eio->hub->settings->message_max);
}
