/* What jwt.c knows about the inside of struct jwt_keys. */
#ifndef COMMON_JWT_KEYS_H
#define COMMON_JWT_KEYS_H

#include "jws.h"
#include "jwt.h"
#include "jwt_cache.h"

#define JWT_KID_MAX 64

/* The one key that may verify a token with this kid (NULL: the secret). NULL when there is none. */
const struct jws_key *jwt_keys_find(const struct jwt_keys *keys, const char *kid);
struct jwt_cache *jwt_keys_cache(struct jwt_keys *keys);
const struct jwt_settings *jwt_keys_settings(const struct jwt_keys *keys);

#endif
