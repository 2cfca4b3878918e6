/* What is said on a new connection before it may be used: AUTH, PING (refused while the server
   loads), SELECT, CLIENT SETNAME, ROLE (only a master will do), all in one round trip. */
#ifndef COMMON_REDIS_GREETING_H
#define COMMON_REDIS_GREETING_H

#include "buffer.h"
#include "redis_settings.h"

#include <hiredis/hiredis.h>

#define REDIS_GREETING_MAX 5

struct redis_greeting {
	int steps[REDIS_GREETING_MAX];
	size_t count; /* replies to come */
	size_t at;
};

/* Appends the commands to out. name is the link's. */
void redis_greeting_begin(struct redis_greeting *greeting, const struct redis_settings *settings,
			  const char *name, struct buffer *out);
/* The next reply. Returns 1: the last one, all is well; 0: more to come; -1: the server cannot be
   used, reason says why and never holds the password. */
int redis_greeting_reply(struct redis_greeting *greeting, const redisReply *reply,
			 struct buffer *reason);

#endif
