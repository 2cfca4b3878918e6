/* Asks Sentinels where the master is: each in turn until one knows. */
#ifndef COMMON_REDIS_SENTINEL_H
#define COMMON_REDIS_SENTINEL_H

#include "redis_settings.h"

#include <uv.h>

struct redis_sentinel;

/* host is borrowed; NULL: none of them knew, reason says what the last one said. May close. */
typedef void redis_sentinel_fn(const char *host, int port, const char *reason, void *context);

/* settings must outlive it. NULL when they name no Sentinel. */
struct redis_sentinel *redis_sentinel_open(uv_loop_t *loop, const struct redis_settings *settings,
					   redis_sentinel_fn *fn, void *context);
/* One question at a time. fn is called once, later, unless redis_sentinel_close() comes first. Each
   question begins with the Sentinel after the one that answered last, so that one with an outdated
   answer is not asked for ever. */
void redis_sentinel_ask(struct redis_sentinel *sentinel);
void redis_sentinel_close(struct redis_sentinel **sentinel);

#endif
