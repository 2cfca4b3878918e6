/* Bytes from a client -> messages. wslay parses; a context of it (about 9 KB) exists only while a
   frame or a message has begun and not ended, so that an idle client costs nothing here. */
#ifndef WS_FANOUT_INPUT_H
#define WS_FANOUT_INPUT_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input;

struct input_hooks {
	/* Any complete message, control frames too. */
	void (*on_any)(void *context);
	/* A text message, valid UTF-8, not NUL-terminated. */
	void (*on_text)(const char *text, size_t len, void *context);
};

enum input_end {
	INPUT_GOES_ON,
	INPUT_PEER_CLOSED, /* the peer's close frame came; its answer is in replies */
	INPUT_FAILED       /* close the connection with *code_r */
};

struct input_limits {
	size_t message_max;
	bool deflate; /* permessage-deflate was agreed on */
};

/* *input is NULL between messages. replies gets the frames that answer pings and a close. */
enum input_end input_feed(struct input **input, const char *bytes, size_t len,
			  struct input_limits limits, const struct input_hooks *hooks,
			  void *context, struct buffer *replies, uint16_t *code_r);
void input_free(struct input **input);

#endif
