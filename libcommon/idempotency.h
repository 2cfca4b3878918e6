/* Idempotency-Key: the first request with a key runs; the same one again gets the stored reply and
   "Idempotency-Replayed: true"; the same key with another body gets 422, one still under way 409.
   Kept in cache:idempotency:<user>:<key> for 24 h. Replies of 5xx are not kept. */
#ifndef COMMON_IDEMPOTENCY_H
#define COMMON_IDEMPOTENCY_H

#include "http_server.h"
#include "redis_link.h"

/* An http_handler_fn whose context is the struct redis_link to use. */
void idempotency_check(struct http_request *request, void *redis_link);

#endif
