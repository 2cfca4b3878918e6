/* One connection to Redis that outlives its sockets: it connects (by Sentinel when sentinels are
   set), authenticates, selects the database, times out commands, and reconnects with jittered
   back-off (0.1 s to 5 s) for ever.

   A command that was accepted gets exactly one callback: with its reply, or with NULL when the
   connection was lost or the reply took longer than command_timeout_ms. NULL means that the outcome
   is not known. While the link is down commands are refused at once; nothing is queued.

   A link on which nothing was under way is asked PING every 5 s, so that a silent death is noticed:
   send MULTI and all up to EXEC in one go. */
#ifndef COMMON_REDIS_LINK_H
#define COMMON_REDIS_LINK_H

#include "redis_settings.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct redis_link;

/* reply is borrowed for the call; NULL: lost. Issue no command of this link from a NULL callback.
 */
typedef void redis_reply_fn(const redisReply *reply, void *context);

struct redis_link_hooks {
	/* Ready for commands (after AUTH and SELECT). May be NULL. */
	void (*on_up)(void *context);
	/* Called once per loss, after the callbacks of all commands under way. reason is borrowed.
	 */
	void (*on_down)(const char *reason, void *context);
	void *context;
};

/* settings must outlive the link; name ("commands", "reader") appears in logs and CLIENT LIST and
   is borrowed. The first connect begins at once; on_up comes later, from the loop. */
struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_settings *settings,
				   const char *name, const struct redis_link_hooks *hooks);
/* Callbacks of commands under way are called with NULL before this returns. on_down is not. */
void redis_link_close(struct redis_link **link);
bool redis_link_is_up(const struct redis_link *link);

/* hiredis' format language: %s a string, %b bytes and length. fn may be NULL. Returns 0, or -1 when
   the link is down: then fn is not called. */
int redis_link_command(struct redis_link *link, redis_reply_fn *fn, void *context,
		       const char *format, ...);
int redis_link_argv(struct redis_link *link, redis_reply_fn *fn, void *context, int argc,
		    const char **argv, const size_t *lens);
/* One command, in RESP already. */
int redis_link_raw(struct redis_link *link, redis_reply_fn *fn, void *context, const char *resp,
		   size_t len);
/* Commands sent and not answered yet. */
size_t redis_link_pending(const struct redis_link *link);
/* A blocking command (XREADGROUP BLOCK) may take this long before it is timed out; the default is
   command_timeout_ms. Use it only on a link of its own. */
void redis_link_set_timeout(struct redis_link *link, int64_t timeout_ms);
/* Messages of channels go to fn instead of to the oldest command. For a link that subscribes; NULL
   takes it back. */
void redis_link_set_on_message(struct redis_link *link, redis_reply_fn *fn, void *context);
/* Drops the connection; the link reconnects. For callers that saw an impossible reply. */
void redis_link_reset(struct redis_link *link, const char *reason);

#endif
