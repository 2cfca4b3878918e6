/* Clients that are read again and again, in front of MongoDB: cache:client:<id> in Redis, shared by
   all instances.

   A writer blocks the entry before it writes, and afterwards leaves the version that it has
   written. A reader's document is taken only while nobody writes and when it is no older than the
   version there: so one who read before the write and was slow brings nothing old back. A writer
   that died, or does not know whether it has written, leaves the entry blocked until it expires. */
#ifndef CRM_DATA_SVC_CACHE_H
#define CRM_DATA_SVC_CACHE_H

#include "http_server.h"
#include "redis_link.h"

#include <stdbool.h>
#include <stdint.h>

struct cache;

/* link is borrowed until cache_close(); keep_ms: how long an entry is kept, 0: no cache. */
struct cache *cache_open(uv_loop_t *loop, struct redis_link *link, int64_t keep_ms);
/* The link goes; whoever asks from now on is told that Redis is away. */
void cache_close(struct cache *cache);
/* After cache_close(), when no thread will ask any more. */
void cache_free(struct cache **cache);

/* ---- reading, on the loop ---- */

struct cache_entry {
	int64_t version;
	const char *doc;          /* JSON, as people get it */
	const char *team, *owner; /* "" for none */
};

/* Asks for the client of the request's path; the answer is there before anything that is asked of
   Redis on the same link later. */
void cache_ask(struct cache *cache, struct http_request *request);
/* What came of it; false: it is not in the cache. Borrowed from the request. */
bool cache_answer(const struct http_request *request, struct cache_entry *entry_r);
void cache_fill(struct cache *cache, const char *id, const struct cache_entry *entry);

/* ---- writing, on a thread: it waits for Redis ---- */

/* Returns 0, or -1 when Redis is away: then nothing may be written. */
int cache_block(struct cache *cache, const char *id) __attribute__((warn_unused_result));
/* version: what may have been written. */
void cache_release(struct cache *cache, const char *id, int64_t version);

#endif
