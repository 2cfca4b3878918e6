/* Attaches a hiredis context to a libuv loop. Unlike the adapter that hiredis ships, it passes poll
   errors on, so that a refused or reset connection reaches hiredis' callbacks. */
#ifndef COMMON_REDIS_UV_H
#define COMMON_REDIS_UV_H

#include <hiredis/async.h>
#include <uv.h>

/* Returns 0 or -1. Everything is released when hiredis frees the context. */
int redis_uv_attach(redisAsyncContext *redis, uv_loop_t *loop) __attribute__((warn_unused_result));

#endif
