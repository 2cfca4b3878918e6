#include "jwt_cache.h"

#include "mem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SETS 1024
#define WAYS 4

struct entry {
	unsigned char hash[JWT_CACHE_HASH_LEN];
	struct jwt_claims claims; /* expires_at_s is 0 in an empty entry */
};

struct jwt_cache {
	/* 1 MB when full; the kernel gives the pages as they are touched. */
	struct entry *entries;
};

struct jwt_cache *jwt_cache_new(void)
{
	struct jwt_cache *cache = mem_new(struct jwt_cache);

	cache->entries = mem_array(struct entry, SETS * WAYS);
	return cache;
}

void jwt_cache_free(struct jwt_cache **_cache)
{
	struct jwt_cache *cache = *_cache;

	*_cache = NULL;
	if (cache == NULL)
		return;
	free(cache->entries);
	free(cache);
}

void jwt_cache_hash(const char *token, size_t len, unsigned char hash_r[JWT_CACHE_HASH_LEN])
{
	crypto_generichash(hash_r, JWT_CACHE_HASH_LEN, (const unsigned char *)token, len, NULL, 0);
}

static struct entry *find_set(const struct jwt_cache *cache, const unsigned char *hash)
{
	size_t set = ((size_t)hash[0] << 8 | hash[1]) % SETS;

	return &cache->entries[set * WAYS];
}

const struct jwt_claims *jwt_cache_find(const struct jwt_cache *cache, const unsigned char *hash)
{
	const struct entry *set = find_set(cache, hash);

	for (size_t way = 0; way < WAYS; way++)
		if (set[way].claims.expires_at_s != 0 &&
		    memcmp(set[way].hash, hash, JWT_CACHE_HASH_LEN) == 0)
			return &set[way].claims;
	return NULL;
}

void jwt_cache_add(struct jwt_cache *cache, const unsigned char *hash,
		   const struct jwt_claims *claims)
{
	struct entry *set = find_set(cache, hash);
	struct entry *victim = set;

	for (size_t way = 1; way < WAYS; way++)
		if (set[way].claims.expires_at_s < victim->claims.expires_at_s)
			victim = &set[way];
	memcpy(victim->hash, hash, JWT_CACHE_HASH_LEN);
	victim->claims = *claims;
}

void jwt_cache_clear(struct jwt_cache *cache)
{
	free(cache->entries);
	cache->entries = mem_array(struct entry, SETS * WAYS);
}
