#include "sql.h"

#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "sql_job.h"
#include "sql_link.h"

#include <mysql.h>
#include <stdlib.h>

#define LINE_MAX_JOBS 512

struct line {
	struct sql_job *first, *last; /* oldest first */
	size_t count;
};

struct sql_pool {
	const struct sql_settings *settings;
	struct sql_link **links;
	size_t up; /* links that are connected */
	void (*on_state)(bool up, const char *detail, void *context);
	void *context;
	struct line waiting; /* for a link to come free */
	struct line refused; /* to be told so from the loop, not from within sql_query() */
	/* Fires at once when there is something to do, else when the oldest job has waited too
	 * long.
	 */
	struct timer *timer;
};

static void append(struct line *line, struct sql_job *job)
{
	if (line->first == NULL)
		line->first = job;
	else
		line->last->next = job;
	line->last = job;
	line->count++;
}

static struct sql_job *take_first(struct line *line)
{
	struct sql_job *job = line->first;

	line->first = job->next;
	line->count--;
	return job;
}

static struct sql_link *find_free(const struct sql_pool *pool)
{
	for (int64_t i = 0; i < pool->settings->pool; i++)
		if (sql_link_is_free(pool->links[i]))
			return pool->links[i];
	return NULL;
}

static void refuse_first(struct sql_pool *pool, struct line *line, const char *reason)
{
	timer_again(pool->timer, 0);
	sql_job_refuse(take_first(line), reason);
}

/* One job each time, as the last thing that is done: its answer may close the pool. */
static void on_timer(void *context)
{
	struct sql_pool *pool = context;
	struct sql_link *link = find_free(pool);
	struct line *waiting = &pool->waiting;

	if (pool->refused.first != NULL) {
		refuse_first(pool, &pool->refused,
			     pool->up == 0 ? "no connection is up" : "too much work is waiting");
	} else if (waiting->first == NULL) {
		return;
	} else if (pool->up == 0) {
		refuse_first(pool, waiting, "no connection is up");
	} else if (waiting->first->deadline_ms <= clock_mono_ms()) {
		refuse_first(pool, waiting, "no connection came free");
	} else if (link != NULL) {
		timer_again(pool->timer, 0);
		sql_link_run(link, take_first(waiting));
	} else {
		timer_again(pool->timer, waiting->first->deadline_ms - clock_mono_ms());
	}
}

static void kick(struct sql_pool *pool)
{
	timer_again(pool->timer, 0);
}

static void on_free(void *context)
{
	kick(context);
}

static void on_down(bool was_up, const char *reason, void *context)
{
	struct sql_pool *pool = context;

	if (was_up)
		pool->up--;
	if (pool->up > 0)
		return;
	kick(pool);
	if (pool->on_state != NULL)
		pool->on_state(false, reason, pool->context);
}

static void on_up(void *context)
{
	struct sql_pool *pool = context;

	if (pool->up++ == 0 && pool->on_state != NULL)
		pool->on_state(true, NULL, pool->context);
}

struct sql_pool *sql_pool_open(uv_loop_t *loop, const struct sql_settings *settings,
			       void (*on_state)(bool up, const char *detail, void *context),
			       void *context)
{
	struct sql_pool *pool = mem_new(struct sql_pool);
	struct sql_link_hooks hooks = {on_up, on_free, on_down, pool};

	mysql_library_init(0, NULL, NULL); /* here, before any thread might do it */
	pool->settings = settings;
	pool->on_state = on_state;
	pool->context = context;
	pool->timer = timer_start(loop, 0, 0, on_timer, pool);
	pool->links = mem_array(struct sql_link *, (size_t)settings->pool);
	for (int64_t i = 0; i < settings->pool; i++)
		pool->links[i] = sql_link_open(loop, settings, &hooks);
	return pool;
}

void sql_pool_close(struct sql_pool **_pool)
{
	struct sql_pool *pool = *_pool;

	*_pool = NULL;
	if (pool == NULL)
		return;
	for (int64_t i = 0; i < pool->settings->pool; i++)
		sql_link_close(&pool->links[i]);
	while (pool->refused.first != NULL)
		sql_job_refuse(take_first(&pool->refused), "the daemon stops");
	while (pool->waiting.first != NULL)
		sql_job_refuse(take_first(&pool->waiting), "the daemon stops");
	timer_stop(&pool->timer);
	free(pool->links);
	free(pool);
}

static void enqueue(struct sql_pool *pool, struct sql_job *job)
{
	bool fits = pool->up > 0 && pool->waiting.count < LINE_MAX_JOBS;

	job->deadline_ms = clock_mono_ms() + pool->settings->timeout_ms;
	append(fits ? &pool->waiting : &pool->refused, job);
	kick(pool);
}

void sql_query(struct sql_pool *pool, const char *text, const struct sql_value *values,
	       size_t count, sql_done_fn *done, void *context)
{
	struct sql_statement statement = {text, values, count};

	enqueue(pool, sql_job_new(&statement, 1, done, context));
}

void sql_transaction(struct sql_pool *pool, const struct sql_statement *statements, size_t count,
		     sql_done_fn *done, void *context)
{
	struct sql_job *job = sql_job_new(statements, count, done, context);

	job->transaction = true;
	enqueue(pool, job);
}
