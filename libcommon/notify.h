/* What a supervisor that speaks systemd's notification protocol wants to hear: ready, stopping, and
   a sign of life out of the loop. Without NOTIFY_SOCKET nothing is sent. */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

#include <uv.h>

struct notify;

/* Says READY=1; with WATCHDOG_USEC a sign of life at half that time, as long as the loop turns.
   Returns NULL when nobody listens. */
struct notify *notify_open(uv_loop_t *loop);
/* Says STOPPING=1; signs of life go on until notify_close(). NULL is fine. */
void notify_stopping(struct notify *notify);
void notify_close(struct notify **notify);

#endif
