/* WebSocket frames as a client that trusts its server reads and writes them. */
#ifndef LOAD_WS_FRAME_H
#define LOAD_WS_FRAME_H

#include "buffer.h"

/* Masked with zeros: allowed, and the cheapest. */
static inline void ws_frame_write(struct buffer *out, int opcode, const char *payload, size_t len)
{
	buffer_append_char(out, (char)(0x80 | opcode));
	if (len < 126) {
		buffer_append_char(out, (char)(0x80 | len));
	} else {
		buffer_append_char(out, (char)(0x80 | 126));
		buffer_append_char(out, (char)(len >> 8));
		buffer_append_char(out, (char)len);
	}
	buffer_append(out, "\0\0\0\0", 4);
	buffer_append(out, payload, len);
}

/* Bytes of the first frame, of these *header_r before its payload; 0 while it is not whole. */
static inline size_t ws_frame_parse(const char *bytes, size_t len, size_t *header_r)
{
	const unsigned char *head = (const unsigned char *)bytes;
	size_t header = 2, payload;

	if (len < 2)
		return 0;
	payload = head[1] & 127;
	if (payload >= 126) {
		size_t width = payload == 126 ? 2 : 8;

		header = 2 + width;
		if (len < header)
			return 0;
		payload = 0;
		for (size_t i = 0; i < width; i++)
			payload = payload << 8 | head[2 + i];
	}
	*header_r = header;
	return len < header + payload ? 0 : header + payload;
}

#endif
