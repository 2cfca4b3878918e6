/* agent:<extension> and queue:<name> as JSON. */
#ifndef LIFECYCLE_LIVE_VIEW_H
#define LIFECYCLE_LIVE_VIEW_H

#include "json.h"
#include "reach.h"

#include <hiredis/hiredis.h>

/* Value of a field of HGETALL's reply; "" when it is not there. */
const char *live_field(const redisReply *reply, const char *name);
/* Members of an object that is begun; day_at: begin of today, sums of an earlier day are 0. */
void live_agent_write(const redisReply *reply, int64_t day_at, int64_t now,
		      struct json_writer *writer);
/* With its callers, and the members whom who sees; who NULL: without these lists. */
void live_queue_write(const redisReply *reply, int64_t day_at, int64_t now,
		      const struct principal *who, struct json_writer *writer);

#endif
