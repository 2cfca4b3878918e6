/* Webhooks in Redis: see proto/redis.md. As store.h: a callback comes exactly once. */
#ifndef WS_FANOUT_STORE_WEBHOOK_H
#define WS_FANOUT_STORE_WEBHOOK_H

#include "redis_link.h"
#include "webhook.h"

#define STORE_WEBHOOKS_MAX 100

/* webhooks are borrowed, but may be taken: what is taken must be cleared there. NULL: Redis is
 * away.
 */
typedef void store_webhooks_fn(struct webhook *webhooks, size_t count, void *context);
void store_webhooks(struct redis_link *link, store_webhooks_fn *fn, void *context);
/* count is 0 when there is none of that id. */
void store_webhook(struct redis_link *link, const char *id, store_webhooks_fn *fn, void *context);
/* What REST says: all but the positions and counters, which stay. */
typedef void store_done_fn(bool done, void *context);
void store_webhook_save(struct redis_link *link, const struct webhook *webhook, bool created,
			store_done_fn *fn, void *context);
void store_webhook_remove(struct redis_link *link, const char *id, store_done_fn *fn,
			  void *context);
/* Asks whoever delivers to go back: to these positions, or through the dead letters. */
void store_webhook_replay(struct redis_link *link, const char *id, const struct positions *to,
			  bool dead, store_done_fn *fn, void *context);
/* The request to go back was seen. */
void store_webhook_replaying(struct redis_link *link, const struct webhook *webhook);

/* One delivery: the position moves with it; error is NULL when it was taken. */
void store_webhook_delivered(struct redis_link *link, const char *id, enum topic topic,
			     struct entry_id at, const char *error);
/* A try that failed, and will be made again. */
void store_webhook_failed(struct redis_link *link, const char *id, const char *error);
/* Positions alone, of events that were not for it. */
void store_webhook_moved(struct redis_link *link, const char *id, const struct positions *at);
/* Given up: body goes to webhook:dead:<id>. */
void store_webhook_dead(struct redis_link *link, const char *id, const char *body, size_t len,
			const char *error);
/* A dead letter was delivered after all. */
void store_webhook_risen(struct redis_link *link, const char *id, const char *entry);

struct store_letter {
	const char *entry, *body, *error;
	size_t len;
};

/* NULL: Redis is away. */
typedef void store_letters_fn(const struct store_letter *letters, size_t count, void *context);
/* At most max dead letters after that entry id. */
void store_webhook_letters(struct redis_link *link, const char *id, const char *after, size_t max,
			   store_letters_fn *fn, void *context);

#endif
