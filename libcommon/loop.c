#include "loop.h"

#include "mem.h"

#include <sodium.h>
#include <stdlib.h>

struct timer {
	uv_timer_t handle; /* first: the close callback frees the whole */
	timer_fn *fn;
	void *context;
};

static void on_timer(uv_timer_t *handle)
{
	struct timer *timer = handle->data;

	timer->fn(timer->context);
}

struct timer *timer_start(uv_loop_t *loop, int64_t delay_ms, int64_t repeat_ms, timer_fn *fn,
			  void *context)
{
	struct timer *timer = mem_new(struct timer);

	timer->fn = fn;
	timer->context = context;
	uv_timer_init(loop, &timer->handle);
	timer->handle.data = timer;
	uv_unref((uv_handle_t *)&timer->handle);
	uv_update_time(loop);
	uv_timer_start(&timer->handle, on_timer, (uint64_t)delay_ms, (uint64_t)repeat_ms);
	return timer;
}

void timer_again(struct timer *timer, int64_t delay_ms)
{
	uv_update_time(timer->handle.loop);
	uv_timer_start(&timer->handle, on_timer, (uint64_t)delay_ms,
		       uv_timer_get_repeat(&timer->handle));
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void timer_stop(struct timer **_timer)
{
	struct timer *timer = *_timer;

	*_timer = NULL;
	if (timer == NULL)
		return;
	uv_timer_stop(&timer->handle);
	uv_close((uv_handle_t *)&timer->handle, on_closed);
}

int64_t backoff_ms(unsigned attempt, int64_t base_ms, int64_t max_ms)
{
	int64_t low = base_ms / 2;
	int64_t high = max_ms;

	if (attempt < 32 && base_ms < max_ms >> attempt)
		high = base_ms << attempt;
	return low + (int64_t)randombytes_uniform((uint32_t)(high - low) + 1);
}
