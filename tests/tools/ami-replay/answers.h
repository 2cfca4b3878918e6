/* What a client of the replay asks, and what Asterisk would answer: logins, pings, filters, empty
   lists; anything else succeeds. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "buffer.h"
#include "transcript.h"

#include <stdbool.h>

struct answers {
	const char *secret; /* NULL: any */
	const char *systemname;
	const struct session *session; /* recorded lists; NULL: all are empty */
	char challenge[16];            /* of this client */
};

enum answer_effect {
	ANSWER_ONLY,
	ANSWER_LOGIN,        /* logged in, events on */
	ANSWER_LOGIN_SILENT, /* logged in, events off */
	ANSWER_PING,         /* does not count as asking */
	ANSWER_CLOSE,        /* close after the answer */
};

/* block is one action without its empty line. */
enum answer_effect answer_action(struct answers *answers, const char *block, size_t len,
				 struct buffer *out);

/* MD5 of challenge and secret in hex, as Login's Key wants it. out holds 33 bytes. */
void answer_key(const char *challenge, const char *secret, char *out);

#endif
