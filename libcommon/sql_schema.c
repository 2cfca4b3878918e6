#include "sql_schema.h"

#include "log.h"
#include "loop.h"
#include "mem.h"
#include "offload.h"

#include <stdlib.h>

#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 5000

typedef int migrate_fn(const struct sql_settings *settings, char **error_r);

/* On a thread: outlives a schema that is closed meanwhile. */
struct job {
	struct sql_schema *schema; /* NULL once it was closed */
	const struct sql_settings *settings;
	migrate_fn *migrate;
	int applied;
	char *error;
};

struct sql_schema {
	uv_loop_t *loop;
	const struct sql_settings *settings;
	migrate_fn *migrate;
	struct health_item *health;
	void (*on_ready)(void *context);
	void *context;
	struct offload *offload;
	struct job *job; /* under way */
	struct timer *retry;
	unsigned attempt;
	bool ready;
};

struct sql_schema *sql_schema_open(uv_loop_t *loop, const struct sql_settings *settings,
				   migrate_fn *migrate, struct health_item *health,
				   void (*on_ready)(void *context), void *context)
{
	struct sql_schema *schema = mem_new(struct sql_schema);

	schema->loop = loop;
	schema->settings = settings;
	schema->migrate = migrate;
	schema->health = health;
	schema->on_ready = on_ready;
	schema->context = context;
	schema->offload = offload_new(loop, 1, 0);
	return schema;
}

static void work(void *_job)
{
	struct job *job = _job;

	job->applied = job->migrate(job->settings, &job->error);
}

static void begin(void *context);

static void on_done(void *_job, void *context)
{
	struct job *job = _job;
	struct sql_schema *schema = job->schema;

	(void)context;
	if (schema != NULL) {
		schema->job = NULL;
		schema->ready = job->applied >= 0;
		health_set(schema->health, schema->ready, job->error);
		if (job->applied > 0)
			log_info("the schema was changed", log_int("changes", job->applied));
		if (!schema->ready)
			schema->retry = timer_start(
				schema->loop,
				backoff_ms(schema->attempt++, RETRY_MIN_MS, RETRY_MAX_MS), 0, begin,
				schema);
		else if (schema->on_ready != NULL)
			schema->on_ready(schema->context);
	}
	free(job->error);
	free(job);
}

static void begin(void *context)
{
	struct sql_schema *schema = context;
	struct job *job = mem_new(struct job);

	timer_stop(&schema->retry);
	*job = (struct job){
		.schema = schema, .settings = schema->settings, .migrate = schema->migrate};
	schema->job = job;
	if (offload_run(schema->offload, work, on_done, job, NULL) < 0)
		abort(); /* there is never a second one */
}

void sql_schema_database_up(struct sql_schema *schema)
{
	if (!schema->ready && schema->job == NULL && schema->retry == NULL)
		begin(schema);
}

bool sql_schema_is_ready(const struct sql_schema *schema)
{
	return schema->ready;
}

void sql_schema_close(struct sql_schema **closed)
{
	struct sql_schema *schema = *closed;

	*closed = NULL;
	if (schema == NULL)
		return;
	if (schema->job != NULL)
		schema->job->schema = NULL;
	offload_free(&schema->offload);
	timer_stop(&schema->retry);
	free(schema);
}
