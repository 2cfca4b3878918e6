/* Tokens that were verified, by a hash of the whole token, until they expire. Of fixed size: a new
   token takes the place of the one that expires first among the few that share its slot. */
#ifndef COMMON_JWT_CACHE_H
#define COMMON_JWT_CACHE_H

#include "jwt.h"

#define JWT_CACHE_HASH_LEN 32

struct jwt_cache;

struct jwt_cache *jwt_cache_new(void);
void jwt_cache_free(struct jwt_cache **cache);
void jwt_cache_hash(const char *token, size_t len, unsigned char hash_r[JWT_CACHE_HASH_LEN]);
/* Borrowed until the cache changes; NULL when it is not there. Whether it has expired is the
   caller's to say. */
const struct jwt_claims *jwt_cache_find(const struct jwt_cache *cache, const unsigned char *hash);
void jwt_cache_add(struct jwt_cache *cache, const unsigned char *hash,
		   const struct jwt_claims *claims);
/* The keys have changed: nothing that was verified counts any more. */
void jwt_cache_clear(struct jwt_cache *cache);

#endif
