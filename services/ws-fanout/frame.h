/* Bytes that go out as they are, built once and shared by all their readers. RFC 6455 section 5.2,
   server to client: never masked, never fragmented. */
#ifndef WS_FANOUT_FRAME_H
#define WS_FANOUT_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum frame_opcode {
	FRAME_TEXT = 0x1,
	FRAME_CLOSE = 0x8,
	FRAME_PING = 0x9
};

#define FRAME_HEADER_MAX 10
#define CLOSE_REASON_MAX 123 /* a control frame holds 125 bytes, 2 of them the code */

struct frame {
	uint64_t key; /* of two waiting frames with the same key the later one is enough; 0: none */
	int64_t event_ms; /* Unix; of an event, when it was written to its stream; 0: none */
	uint32_t refs;    /* see frame_ref() */
	uint32_t header;  /* bytes of data before the payload */
	size_t len;
	char data[];
};

/* len bytes of payload, to be written at *payload_r. The caller holds one reference. */
struct frame *frame_new(enum frame_opcode opcode, size_t len, char **payload_r);
struct frame *frame_text(const char *text, size_t len);
/* The same, with RSV1 set: the payload is compressed (RFC 7692). */
struct frame *frame_compressed(const char *bytes, size_t len);
/* reason is cut to CLOSE_REASON_MAX. */
struct frame *frame_close(uint16_t code, const char *reason);
/* Bytes that are framed already, or are no frame at all (the handshake's answer). */
struct frame *frame_raw(const char *bytes, size_t len);
struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame **frame);

#endif
