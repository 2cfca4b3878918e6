/* One TCP connection to a Redis server: libuv carries the bytes, hiredis' reader makes replies of
   them. hiredis' own async contexts are not used: they look up names in the loop's thread, know no
   connect time-out, and abort the process when a peer sends a reply that nobody asked for. The
   process must ignore SIGPIPE (daemon.c does). */
#ifndef COMMON_REDIS_UV_H
#define COMMON_REDIS_UV_H

#include <hiredis/hiredis.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct redis_uv;

struct redis_uv_hooks {
	void (*on_connect)(void *context);
	/* reply is borrowed for the call. May close the connection. */
	void (*on_reply)(const redisReply *reply, void *context);
	/* The connection failed and is closed already: forget the pointer. reason is borrowed. */
	void (*on_lost)(const char *reason, void *context);
	void *context;
};

/* host is an address or a name. No hook is called before this returns. */
struct redis_uv *redis_uv_connect(uv_loop_t *loop, const char *host, int port, int64_t timeout_ms,
				  const struct redis_uv_hooks *hooks);
/* Only after on_connect. The bytes go out together, at the end of this loop iteration. */
void redis_uv_send(struct redis_uv *conn, const void *bytes, size_t len);
/* Bytes that the kernel has not taken yet. */
size_t redis_uv_unsent(const struct redis_uv *conn);
/* No hook is called any more. What was not sent yet goes out if that needs no waiting. A NULL *conn
   is fine. */
void redis_uv_close(struct redis_uv **conn);

#endif
