/* Work that blocks (password hashing, mongo-c-driver) on the loop's thread pool, bounded: at most
   `running_max` jobs at once and `waiting_max` behind them, in order of arrival. */
#ifndef COMMON_OFFLOAD_H
#define COMMON_OFFLOAD_H

#include <stddef.h>
#include <uv.h>

struct offload;

/* work runs on a pool thread and touches only job; done runs on the loop and owns job again. */
typedef void offload_work_fn(void *job);
typedef void offload_done_fn(void *job, void *context);

struct offload *offload_new(uv_loop_t *loop, size_t running_max, size_t waiting_max);
/* Returns 0, or -1 when the waiting line is full; then the job stays the caller's. */
int offload_run(struct offload *offload, offload_work_fn *work, offload_done_fn *done, void *job,
		void *context) __attribute__((warn_unused_result));
size_t offload_waiting(const struct offload *offload);
/* Jobs that run finish and report; waiting ones are run too. Frees itself after the last. */
void offload_free(struct offload **offload);

#endif
