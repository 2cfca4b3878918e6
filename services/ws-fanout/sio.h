/* Socket.IO 5 on a session of Engine.IO: each namespace that is connected is a client. "/" has
   every topic, "/call" and so on that one. Events go out under their eventType, with the envelope
   and the offset for connection-state recovery; messages of /ws under their type. */
#ifndef WS_FANOUT_SIO_H
#define WS_FANOUT_SIO_H

#include <stddef.h>

struct eio_session;

/* A packet without Engine.IO's "4". */
void sio_take(struct eio_session *session, const char *packet, size_t len);
/* The session has another outlet now. */
void sio_moved(struct eio_session *session);
/* There is room again for those who catch up. */
void sio_room(struct eio_session *session);
/* Lets go of namespaces that are over. Once a second, and after packets. */
void sio_sweep(struct eio_session *session);
/* The session is over. */
void sio_leave_all(struct eio_session *session);

#endif
