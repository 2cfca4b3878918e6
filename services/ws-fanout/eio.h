/* Engine.IO 4: sessions that live on long polls, on a WebSocket, or move from the one to the other.
   What their messages mean is Socket.IO's business: sio.h. */
#ifndef WS_FANOUT_EIO_H
#define WS_FANOUT_EIO_H

#include "hub.h"
#include "ws_server.h"

struct eio;
struct eio_session;
struct sio_namespace;

/* The hub outlives it; its server must be there. */
struct eio *eio_new(uv_loop_t *loop, struct hub *hub);
/* Every session ends. */
void eio_free(struct eio **eio);

/* See struct ws_endpoint; context is the hub. */
void eio_open(struct connection *connection, const struct request *request, void *hub);
void eio_request(struct connection *connection, const struct request *request, const char *body,
		 size_t len, void *hub);

/* ---- for sio.c ---- */

struct hub *eio_hub(const struct eio_session *session);
/* Where its frames go now: text frames whose payload is one packet. */
struct outlet *eio_outlet(struct eio_session *session);
/* Whether frames may be compressed ones. */
bool eio_deflates(const struct eio_session *session);
const char *eio_address(const struct eio_session *session);
int64_t eio_since_ms(const struct eio_session *session);
/* The list of its namespaces: sio's. */
struct sio_namespace **eio_namespaces(struct eio_session *session);
/* A client is known: larger messages are read from now on. */
void eio_trust(struct eio_session *session);
/* The end of the transport: the client comes back by itself. Frees nothing at once. */
void eio_end(struct eio_session *session, enum close_code code, const char *reason);

#endif
