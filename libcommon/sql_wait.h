/* Waits on the loop for what MariaDB's non-blocking API asks for: a socket or a time-out. */
#ifndef COMMON_SQL_WAIT_H
#define COMMON_SQL_WAIT_H

#include <stdint.h>
#include <uv.h>

struct sql_wait;

/* events are MYSQL_WAIT_* bits; MYSQL_WAIT_TIMEOUT alone: the time was over first. Before it
   returns it must arm, release or free the wait. */
typedef void sql_wait_fn(int events, void *context);

struct sql_wait *sql_wait_new(uv_loop_t *loop, sql_wait_fn *fn, void *context);
/* events: MYSQL_WAIT_* bits. timeout_ms 0: for ever. */
void sql_wait_arm(struct sql_wait *wait, int fd, int events, int64_t timeout_ms);
/* Lets go of the socket: to be called before it is closed. */
void sql_wait_release(struct sql_wait *wait);
void sql_wait_free(struct sql_wait **wait);

#endif
