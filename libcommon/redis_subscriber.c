#include "redis_subscriber.h"

#include "log.h"
#include "mem.h"
#include "redis_link.h"

#include <stdlib.h>

struct redis_subscriber {
	struct redis_link *link;
	const char *const *channels;
	redis_message_fn *fn;
	void *context;
};

static void on_message(const redisReply *reply, void *_subscriber)
{
	struct redis_subscriber *subscriber = _subscriber;
	const redisReply *channel = reply->element[1];
	const redisReply *message = reply->element[2];

	if (channel->type == REDIS_REPLY_STRING && message->type == REDIS_REPLY_STRING)
		subscriber->fn(channel->str, message->str, message->len, subscriber->context);
}

static void on_subscribed(const redisReply *reply, void *_subscriber)
{
	struct redis_subscriber *subscriber = _subscriber;

	if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
		redis_link_reset(subscriber->link, reply->str);
}

/* One channel in each command: then each command has one reply. */
static void on_up(void *_subscriber)
{
	struct redis_subscriber *subscriber = _subscriber;

	for (const char *const *channel = subscriber->channels; *channel != NULL; channel++)
		(void)redis_link_command(subscriber->link, on_subscribed, subscriber,
					 "SUBSCRIBE %s", *channel);
}

struct redis_subscriber *redis_subscriber_open(uv_loop_t *loop,
					       const struct redis_settings *settings,
					       const char *const *channels, redis_message_fn *fn,
					       void *context)
{
	struct redis_subscriber *subscriber = mem_new(struct redis_subscriber);
	const struct redis_link_hooks hooks = {on_up, NULL, subscriber};

	subscriber->channels = channels;
	subscriber->fn = fn;
	subscriber->context = context;
	subscriber->link = redis_link_open(loop, settings, "subscriber", &hooks);
	redis_link_set_on_message(subscriber->link, on_message, subscriber);
	return subscriber;
}

void redis_subscriber_close(struct redis_subscriber **_subscriber)
{
	struct redis_subscriber *subscriber = *_subscriber;

	*_subscriber = NULL;
	if (subscriber == NULL)
		return;
	redis_link_close(&subscriber->link);
	free(subscriber);
}
