/* Packets of Socket.IO (protocol 5) within messages of Engine.IO (protocol 4):
   <type>[<namespace>,][<id>][JSON]. Binary ones are not spoken here. */
#ifndef WS_FANOUT_SIO_PACKET_H
#define WS_FANOUT_SIO_PACKET_H

#include <stdbool.h>
#include <stddef.h>

enum sio_type {
	SIO_CONNECT,
	SIO_DISCONNECT,
	SIO_EVENT,
	SIO_ACK,
	SIO_CONNECT_ERROR
};

#define SIO_NAMESPACE_MAX 32
#define SIO_ID_MAX        15 /* digits */

struct sio_packet {
	enum sio_type type;
	char nsp[SIO_NAMESPACE_MAX + 1]; /* "/" and what follows it */
	char id[SIO_ID_MAX + 1];         /* digits; "" for none */
	const char *data;                /* borrowed; not looked at */
	size_t len;
};

/* False: not a packet, or one of a kind that is not spoken here. */
bool sio_packet_parse(const char *text, size_t len, struct sio_packet *packet_r);

/* ---- Engine.IO ---- */

enum eio_type {
	EIO_OPEN = '0',
	EIO_CLOSE = '1',
	EIO_PING = '2',
	EIO_PONG = '3',
	EIO_MESSAGE = '4',
	EIO_UPGRADE = '5',
	EIO_NOOP = '6'
};

#define EIO_SEPARATOR '\x1e' /* between the packets of a poll */

/* The next packet of a poll's body; moves *rest behind it. False: none is left. */
bool eio_next_packet(const char **rest, size_t *rest_len, const char **packet_r, size_t *len_r);

#endif
