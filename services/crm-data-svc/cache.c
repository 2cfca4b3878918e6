#include "cache.h"

#include "mem.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MS 120000 /* longer than any write takes */

/* What a thread wants of the loop. */
struct wish {
	struct cache *cache;
	char *id;        /* owned */
	int64_t version; /* of a release; 0: a block, whose thread waits */
	bool is_done, ok;
	struct wish *next;
};

struct cache {
	struct redis_link *link; /* NULL: closed */
	int64_t keep_ms;
	uv_async_t async;
	pthread_mutex_t mutex;
	pthread_cond_t done;
	struct wish *first, *last; /* under the mutex */
};

/* ---- scripts: each is one step for all who use the entry ---- */

static const char block_script[] = "redis.call('HINCRBY', KEYS[1], 'writers', 1) "
				   "redis.call('HDEL', KEYS[1], 'doc') "
				   "return redis.call('PEXPIRE', KEYS[1], ARGV[1])";

static const char release_script[] =
	"local c = redis.call('HMGET', KEYS[1], 'writers', 'v') "
	"if tonumber(c[1] or '0') > 0 then redis.call('HINCRBY', KEYS[1], 'writers', -1) end "
	"if tonumber(c[2] or '0') < tonumber(ARGV[2]) then "
	"  redis.call('HSET', KEYS[1], 'v', ARGV[2]) end "
	"redis.call('HDEL', KEYS[1], 'doc') "
	"return redis.call('PEXPIRE', KEYS[1], ARGV[1])";

static const char fill_script[] =
	"local c = redis.call('HMGET', KEYS[1], 'writers', 'v') "
	"if tonumber(c[1] or '0') > 0 or tonumber(c[2] or '0') > tonumber(ARGV[2]) then "
	"  return 0 end "
	"redis.call('HSET', KEYS[1], 'v', ARGV[2], 'doc', ARGV[3], 'team', ARGV[4], "
	"  'owner', ARGV[5]) "
	"return redis.call('PEXPIRE', KEYS[1], ARGV[1])";

/* ---- reading ---- */

enum read_field {
	READ_VERSION,
	READ_DOC,
	READ_TEAM,
	READ_OWNER,
	READ_FIELDS
};

/* Belongs to the request, and to the command while that is under way. */
struct ahead {
	char *texts[READ_FIELDS]; /* owned; NULL: not there */
	bool is_answered, is_left;
};

static void free_ahead(struct ahead *ahead)
{
	for (int i = 0; i < READ_FIELDS; i++)
		free(ahead->texts[i]);
	free(ahead);
}

static void on_request_gone(void *_ahead)
{
	struct ahead *ahead = _ahead;

	ahead->is_left = true;
	if (ahead->is_answered)
		free_ahead(ahead);
}

static void on_read(const redisReply *reply, void *_ahead)
{
	struct ahead *ahead = _ahead;

	ahead->is_answered = true;
	if (ahead->is_left) {
		free_ahead(ahead);
		return;
	}
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != READ_FIELDS)
		return;
	for (size_t i = 0; i < READ_FIELDS; i++)
		if (reply->element[i]->type == REDIS_REPLY_STRING)
			ahead->texts[i] =
				mem_strndup(reply->element[i]->str, (size_t)reply->element[i]->len);
}

void cache_ask(struct cache *cache, struct http_request *request)
{
	struct ahead *ahead;

	if (cache->keep_ms == 0 || cache->link == NULL)
		return;
	ahead = mem_new(struct ahead);
	if (redis_link_command(cache->link, on_read, ahead,
			       "HMGET cache:client:%s v doc team owner",
			       http_param(request, "id")) < 0)
		free(ahead);
	else
		http_set_user(request, ahead, on_request_gone);
}

bool cache_answer(const struct http_request *request, struct cache_entry *entry_r)
{
	const struct ahead *ahead = http_user(request);

	if (ahead == NULL || ahead->texts[READ_VERSION] == NULL || ahead->texts[READ_DOC] == NULL)
		return false;
	entry_r->version = strtoll(ahead->texts[READ_VERSION], NULL, 10);
	entry_r->doc = ahead->texts[READ_DOC];
	entry_r->team = ahead->texts[READ_TEAM] != NULL ? ahead->texts[READ_TEAM] : "";
	entry_r->owner = ahead->texts[READ_OWNER] != NULL ? ahead->texts[READ_OWNER] : "";
	return true;
}

void cache_fill(struct cache *cache, const char *id, const struct cache_entry *entry)
{
	if (cache->keep_ms == 0 || cache->link == NULL)
		return;
	(void)redis_link_command(cache->link, NULL, NULL,
				 "EVAL %s 1 cache:client:%s %" PRId64 " %" PRId64 " %s %s %s",
				 fill_script, id, cache->keep_ms, entry->version, entry->doc,
				 entry->team, entry->owner);
}

/* ---- writing ---- */

static void free_wish(struct wish *wish)
{
	free(wish->id);
	free(wish);
}

static void answer(struct wish *wish, bool ok)
{
	struct cache *cache = wish->cache;

	pthread_mutex_lock(&cache->mutex);
	wish->ok = ok;
	wish->is_done = true;
	pthread_cond_broadcast(&cache->done);
	pthread_mutex_unlock(&cache->mutex);
}

static void on_blocked(const redisReply *reply, void *wish)
{
	answer(wish, reply != NULL && reply->type != REDIS_REPLY_ERROR);
}

static void fulfil(struct cache *cache, struct wish *wish)
{
	if (wish->version > 0) {
		if (cache->link != NULL)
			(void)redis_link_command(cache->link, NULL, NULL,
						 "EVAL %s 1 cache:client:%s %d %" PRId64,
						 release_script, wish->id, BLOCK_MS, wish->version);
		free_wish(wish);
	} else if (cache->link == NULL ||
		   redis_link_command(cache->link, on_blocked, wish, "EVAL %s 1 cache:client:%s %d",
				      block_script, wish->id, BLOCK_MS) < 0) {
		answer(wish, false);
	}
}

static void on_wishes(uv_async_t *async)
{
	struct cache *cache = async->data;
	struct wish *wish, *next;

	pthread_mutex_lock(&cache->mutex);
	wish = cache->first;
	cache->first = cache->last = NULL;
	pthread_mutex_unlock(&cache->mutex);
	for (; wish != NULL; wish = next) {
		next = wish->next;
		fulfil(cache, wish);
	}
}

static struct wish *send_wish(struct cache *cache, const char *id, int64_t version)
{
	struct wish *wish = mem_new(struct wish);

	wish->cache = cache;
	wish->id = mem_strdup(id);
	wish->version = version;
	pthread_mutex_lock(&cache->mutex);
	if (cache->last != NULL)
		cache->last->next = wish;
	else
		cache->first = wish;
	cache->last = wish;
	pthread_mutex_unlock(&cache->mutex);
	uv_async_send(&cache->async);
	return wish;
}

int cache_block(struct cache *cache, const char *id)
{
	struct wish *wish = send_wish(cache, id, 0);
	bool ok;

	pthread_mutex_lock(&cache->mutex);
	while (!wish->is_done)
		pthread_cond_wait(&cache->done, &cache->mutex);
	ok = wish->ok;
	pthread_mutex_unlock(&cache->mutex);
	free_wish(wish);
	return ok ? 0 : -1;
}

void cache_release(struct cache *cache, const char *id, int64_t version)
{
	(void)send_wish(cache, id, version);
}

/* ---- life ---- */

struct cache *cache_open(uv_loop_t *loop, struct redis_link *link, int64_t keep_ms)
{
	struct cache *cache = mem_new(struct cache);

	cache->link = link;
	cache->keep_ms = keep_ms;
	cache->async.data = cache;
	uv_async_init(loop, &cache->async, on_wishes);
	uv_unref((uv_handle_t *)&cache->async);
	pthread_mutex_init(&cache->mutex, NULL);
	pthread_cond_init(&cache->done, NULL);
	return cache;
}

void cache_close(struct cache *cache)
{
	cache->link = NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct cache *cache = handle->data;

	pthread_mutex_destroy(&cache->mutex);
	pthread_cond_destroy(&cache->done);
	free(cache);
}

void cache_free(struct cache **_cache)
{
	struct cache *cache = *_cache;

	*_cache = NULL;
	if (cache == NULL)
		return;
	on_wishes(&cache->async); /* releases that nobody will see */
	uv_close((uv_handle_t *)&cache->async, on_closed);
}
