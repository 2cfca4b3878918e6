/* Listens to pub/sub channels on a link of its own; subscribes again after every reconnect. What
   was published while the link was down is lost: use streams where that matters. */
#ifndef COMMON_REDIS_SUBSCRIBER_H
#define COMMON_REDIS_SUBSCRIBER_H

#include "redis_settings.h"

#include <uv.h>

struct redis_subscriber;

typedef void redis_message_fn(const char *channel, const char *message, size_t len, void *context);

/* channels (ended by NULL) and settings must outlive the subscriber. */
struct redis_subscriber *redis_subscriber_open(uv_loop_t *loop,
					       const struct redis_settings *settings,
					       const char *const *channels, redis_message_fn *fn,
					       void *context);
void redis_subscriber_close(struct redis_subscriber **subscriber);

#endif
