/* Small additions to a libuv loop: timers that own their handle, and back-off. */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stdint.h>
#include <uv.h>

struct timer;

typedef void timer_fn(void *context);

/* Calls fn after delay_ms, then every repeat_ms (0: once). The timer lives until timer_stop(), also
   after a single shot. Does not keep the loop alive by itself. */
struct timer *timer_start(uv_loop_t *loop, int64_t delay_ms, int64_t repeat_ms, timer_fn *fn,
			  void *context);
/* The next shot comes delay_ms from now, whether or not one was due. */
void timer_again(struct timer *timer, int64_t delay_ms);
/* No further call. Sets *timer to NULL; a NULL *timer is fine. Allowed in its own callback. */
void timer_stop(struct timer **timer);

/* Full-jitter exponential back-off. attempt counts from 0; the answer lies in
   [base_ms / 2, min(base_ms << attempt, max_ms)]. */
int64_t backoff_ms(unsigned attempt, int64_t base_ms, int64_t max_ms);

#endif
