/* Refresh tokens: "<session id>.<count>.<mac>". Each counts one up from the one before; the mac is
   by a key that only the session's hash holds. So an old one is known for what it is, however old,
   and a made-up one cannot pass for an old one. */
#ifndef AUTH_SVC_REFRESH_TOKEN_H
#define AUTH_SVC_REFRESH_TOKEN_H

#include "ids.h"

#include <stdint.h>

#define REFRESH_TOKEN_SIZE 80

struct refresh_token {
	char session_id[ID_RANDOM_LEN + 1];
	int64_t count;
	char mac[ID_RANDOM_LEN + 1];
};

/* key: of the session. */
void refresh_token_write(const char *session_id, int64_t count, const char *key,
			 char out[REFRESH_TOKEN_SIZE]);
bool refresh_token_parse(const char *text, struct refresh_token *token_r);
bool refresh_token_is_genuine(const struct refresh_token *token, const char *key);

#endif
