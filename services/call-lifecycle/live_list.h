/* A page of agents or queues: their names, sorted, then each one's hash. */
#ifndef LIFECYCLE_LIVE_LIST_H
#define LIFECYCLE_LIVE_LIST_H

#include "json.h"
#include "service.h"

#include <hiredis/hiredis.h>

struct live_kind {
	const char *array; /* member of the answer */
	int (*ask_names)(struct redis_link *link, const char *pbx, redis_reply_fn *fn,
			 void *context);
	int (*ask)(struct redis_link *link, const char *name, redis_reply_fn *fn, void *context);
	/* The members of one, whose object is begun; false: it is not to be shown. */
	void (*write)(const redisReply *reply, int64_t day_at, int64_t now,
		      struct json_writer *writer);
	/* NULL: all. value is that of ?state=. */
	bool (*fits)(const redisReply *reply, const char *value);
	/* NULL: everyone sees each. */
	bool (*sees)(const struct principal *who, const char *name);
};

void live_list_reply(struct service *service, struct http_request *request,
		     const struct live_kind *kind);
/* "asOf" and "stale" of the PBX that it is of, as members. */
void live_write_as_of(const struct service *service, const char *pbx, struct json_writer *writer);
/* Begin of today in the zone of the settings. */
int64_t live_day_at(int64_t now);

#endif
