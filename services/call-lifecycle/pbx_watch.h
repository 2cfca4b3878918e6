/* How each PBX and the view of its calls are, asked for now and then, so that requests need not. */
#ifndef LIFECYCLE_PBX_WATCH_H
#define LIFECYCLE_PBX_WATCH_H

#include "redis_link.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct pbx_watch;

/* link and names (count of them) are borrowed. */
struct pbx_watch *pbx_watch_open(uv_loop_t *loop, struct redis_link *link, const char *const *names,
				 size_t count);
/* False when the gateway says that it is down; a PBX of which nothing is known is up. */
bool pbx_watch_is_up(const struct pbx_watch *watch, const char *pbx);
/* Where a new call goes: to the preferred one, else to the one with the fewest calls of those that
   are up. NULL: none is. */
const char *pbx_watch_choose(const struct pbx_watch *watch, const char *preferred);
/* Time of the last entry that is in the view; *stale_r: more may have happened since. */
int64_t pbx_watch_as_of(const struct pbx_watch *watch, const char *pbx, bool *stale_r);
void pbx_watch_close(struct pbx_watch **watch);

#endif
