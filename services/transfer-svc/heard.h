/* Up to when everything that was said has been heard. Who looks at a call, or at the clock, must
   not be ahead of what the streams still have to tell. Kept in Redis: the instance that reads says
   it for all. */
#ifndef TRANSFER_SVC_HEARD_H
#define TRANSFER_SVC_HEARD_H

#include "redis_link.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct heard;

struct heard *heard_open(uv_loop_t *loop, struct redis_link *link);
void heard_close(struct heard **heard);
/* Reading begins, or begins anew; or nobody reads here. */
void heard_reading(struct heard *heard, bool reads);
/* A batch has come; whole: no stream had more than that. */
void heard_batch(struct heard *heard, bool whole);
/* All of it has been taken to its transfers, and the next one is read. */
void heard_done(struct heard *heard);

/* True when what was said before that moment can be taken as heard. reply: of store_heard(). */
bool heard_is_recent(const redisReply *reply, int64_t now);

#endif
