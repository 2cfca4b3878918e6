/* Timers, back-off and offloaded work on a real loop. */
#include "loop.h"
#include "offload.h"
#include "unit.h"

#include <stdlib.h>
#include <time.h>

static uv_loop_t loop;

struct counter {
	struct timer *timer;
	int calls;
	int stop_at;
};

static void on_timer(void *context)
{
	struct counter *counter = context;

	if (++counter->calls == counter->stop_at)
		timer_stop(&counter->timer);
}

static void on_keep(uv_timer_t *handle)
{
	uv_close((uv_handle_t *)handle, NULL);
}

static void run_ms(uint64_t ms)
{
	uv_timer_t keep;

	uv_timer_init(&loop, &keep);
	uv_timer_start(&keep, on_keep, ms, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
}

static void test_repeats_until_stopped_by_itself(void **state)
{
	struct counter counter = {.stop_at = 3};

	(void)state;
	counter.timer = timer_start(&loop, 1, 1, on_timer, &counter);
	run_ms(100);
	assert_int_equal(counter.calls, 3);
	assert_null(counter.timer);
}

static void test_single_shot_can_run_again(void **state)
{
	struct counter counter = {.stop_at = -1};

	(void)state;
	counter.timer = timer_start(&loop, 1, 0, on_timer, &counter);
	run_ms(30);
	assert_int_equal(counter.calls, 1);
	timer_again(counter.timer, 1);
	run_ms(30);
	assert_int_equal(counter.calls, 2);
	timer_stop(&counter.timer);
	timer_stop(&counter.timer);
	run_ms(1);
}

static void test_backoff_stays_in_bounds(void **state)
{
	(void)state;
	for (unsigned attempt = 0; attempt < 80; attempt++) {
		int64_t high = attempt < 6 ? 100LL << attempt : 5000;
		int64_t ms = backoff_ms(attempt, 100, 5000);

		assert_in_range(ms, 50, high < 5000 ? high : 5000);
	}
}

struct job {
	int number;
	int *order;
	int *done;
};

static void work(void *_job)
{
	struct job *job = _job;
	struct timespec pause = {0, 2000000};

	nanosleep(&pause, NULL);
	job->number *= 10;
}

static void on_done(void *_job, void *context)
{
	struct job *job = _job;

	(void)context;
	job->order[(*job->done)++] = job->number;
	free(job);
}

static int offer(struct offload *offload, int number, int *order, int *done)
{
	struct job *job = malloc(sizeof(*job));

	assert_non_null(job);
	*job = (struct job){number, order, done};
	if (offload_run(offload, work, on_done, job, NULL) == 0)
		return 0;
	free(job);
	return -1;
}

static void test_offload_is_bounded_and_in_order(void **state)
{
	struct offload *offload = offload_new(&loop, 1, 2);
	int order[4] = {0};
	int done = 0;

	(void)state;
	assert_int_equal(offer(offload, 1, order, &done), 0);
	assert_int_equal(offer(offload, 2, order, &done), 0);
	assert_int_equal(offer(offload, 3, order, &done), 0);
	assert_int_equal(offer(offload, 4, order, &done), -1);
	assert_int_equal(offload_waiting(offload), 2);
	offload_free(&offload);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(done, 3);
	assert_int_equal(order[0], 10);
	assert_int_equal(order[1], 20);
	assert_int_equal(order[2], 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeats_until_stopped_by_itself),
		cmocka_unit_test(test_single_shot_can_run_again),
		cmocka_unit_test(test_backoff_stays_in_bounds),
		cmocka_unit_test(test_offload_is_bounded_and_in_order),
	};
	int failed;

	uv_loop_init(&loop);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop) == 0 ? failed : 1;
}
