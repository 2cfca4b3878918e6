#include "jobs.h"

#include "clock.h"
#include "job.h"
#include "json.h"
#include "links.h"
#include "loop.h"
#include "mem.h"
#include "merge.h"
#include "settings.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS  200
#define SWEEP_MS 600000
#define HOUR_MS  3600000

struct jobs {
	struct service *service;
	struct timer *timer;
	struct job_step step;
	size_t turn;
	cJSON *left, *halfway; /* owned: jobs and merges that another instance left */
	enum db_result found;
	int64_t sweep_at_ms; /* monotonic */
	bool is_on;
	bool is_complete; /* Redis has them all */
	bool is_busy;
	bool is_closed;
};

static void release(struct jobs *jobs)
{
	jobs->is_busy = false;
	if (jobs->is_closed)
		free(jobs);
}

/* ---- one piece after the other ---- */

static void merge_step(struct db *db, struct job_step *step)
{
	step->result = merge_settle(db, step->id);
	step->is_over = step->result == DB_OK || step->result == DB_NONE;
}

static void move_step(struct db *db, struct job_step *step)
{
	cJSON *client = NULL;

	step->result = record_get(db, &kinds[KIND_CLIENT], step->id, &client);
	if (step->result == DB_OK)
		step->result = links_follow(db, client);
	step->is_over = step->result == DB_OK || step->result == DB_NONE;
	cJSON_Delete(client);
}

/* Looked at by turns. */
static const struct turn {
	enum store_schedule schedule;
	void (*step)(struct db *db, struct job_step *step);
} turns[] = {
	{STORE_JOBS, job_step},
	{STORE_MERGES, merge_step},
	{STORE_MOVES, move_step},
};

#define TURNS (sizeof(turns) / sizeof(turns[0]))

static void step_work(struct db *db, void *_jobs)
{
	struct jobs *jobs = _jobs;

	turns[jobs->turn].step(db, &jobs->step);
}

static void on_stepped(void *_jobs);

static void begin_step(struct jobs *jobs, const char *id)
{
	struct job_step *step = &jobs->step;
	char same[sizeof(step->id)];

	snprintf(same, sizeof(same), "%s", id);
	*step = (struct job_step){.service = jobs->service, .result = DB_AWAY};
	memcpy(step->id, same, sizeof(same));
	jobs->is_busy = true;
	if (mongo_run(jobs->service->mongo, MONGO_JOBS, step_work, on_stepped, jobs) < 0)
		release(jobs);
}

static void on_stepped(void *_jobs)
{
	struct jobs *jobs = _jobs;
	struct job_step *step = &jobs->step;
	struct redis_link *link = jobs->service->link;

	if (!jobs->is_closed) {
		if (step->events != NULL || step->reminders != NULL)
			store_commit(link, step->events, NULL, step->reminders, NULL, NULL);
		if (step->is_over)
			store_put_due(link, turns[jobs->turn].schedule, step->id, 0, NULL, NULL);
	}
	cJSON_Delete(step->events);
	cJSON_Delete(step->reminders);
	if (jobs->is_closed || !jobs->is_on || step->is_over || step->result != DB_OK)
		release(jobs); /* what failed is tried again at the next look */
	else
		begin_step(jobs, step->id);
}

static void on_due(const cJSON *ids, void *_jobs)
{
	struct jobs *jobs = _jobs;

	if (jobs->is_closed || !jobs->is_on || ids == NULL || ids->child == NULL)
		release(jobs);
	else
		begin_step(jobs, ids->child->valuestring);
}

/* ---- what another instance left ---- */

static cJSON *in_states(const char *first, const char *second)
{
	cJSON *filter = cJSON_CreateObject(), *either = cJSON_AddArrayToObject(filter, "$or");
	const char *const states[] = {first, second};

	for (size_t i = 0; i < 2; i++) {
		cJSON *one = cJSON_CreateObject();

		cJSON_AddStringToObject(one, "state", states[i]);
		cJSON_AddItemToArray(either, one);
	}
	return filter;
}

/* Merges that are done and not settled were left to Redis, which keeps them. */
static void gather_work(struct db *db, void *_jobs)
{
	struct jobs *jobs = _jobs;
	cJSON *open = in_states("queued", "running"), *halfway = in_states("open", "undoing");
	struct db_page page = {NULL, 0};

	jobs->found = db_find(db, JOBS, open, &page, &jobs->left);
	if (jobs->found == DB_OK)
		jobs->found = db_find(db, MERGES, halfway, &page, &jobs->halfway);
	cJSON_Delete(open);
	cJSON_Delete(halfway);
}

static void add_all(struct jobs *jobs, enum store_schedule schedule, cJSON **list)
{
	const cJSON *doc;

	cJSON_ArrayForEach(doc, *list)
	{
		store_put_due(jobs->service->link, schedule, json_get_str(doc, "_id"),
			      clock_wall_ms(), NULL, NULL);
	}
	cJSON_Delete(*list);
	*list = NULL;
}

static void on_gathered(void *_jobs)
{
	struct jobs *jobs = _jobs;

	jobs->is_complete =
		!jobs->is_closed && jobs->found == DB_OK && redis_link_is_up(jobs->service->link);
	if (jobs->is_complete) {
		add_all(jobs, STORE_JOBS, &jobs->left);
		add_all(jobs, STORE_MERGES, &jobs->halfway);
	}
	cJSON_Delete(jobs->left);
	cJSON_Delete(jobs->halfway);
	jobs->left = jobs->halfway = NULL;
	release(jobs);
}

static void sweep_work(struct db *db, void *_jobs)
{
	(void)_jobs;
	job_sweep(db, settings.crm.jobs_keep_h * HOUR_MS);
}

static void on_swept(void *jobs)
{
	release(jobs);
}

/* ---- the clock ---- */

/* False: it is refused now. */
static bool run(struct jobs *jobs, mongo_work_fn *work, mongo_done_fn *done)
{
	jobs->is_busy = mongo_run(jobs->service->mongo, MONGO_JOBS, work, done, jobs) == 0;
	return jobs->is_busy;
}

static void look(void *_jobs)
{
	struct jobs *jobs = _jobs;

	if (!jobs->is_on || jobs->is_busy || !mongo_is_up(jobs->service->mongo))
		return;
	if (!jobs->is_complete) {
		run(jobs, gather_work, on_gathered);
	} else if (clock_mono_ms() >= jobs->sweep_at_ms) {
		if (run(jobs, sweep_work, on_swept))
			jobs->sweep_at_ms = clock_mono_ms() + SWEEP_MS;
	} else {
		jobs->is_busy = true;
		jobs->turn = (jobs->turn + 1) % TURNS;
		store_get_due(jobs->service->link, turns[jobs->turn].schedule, clock_wall_ms(), 1,
			      on_due, jobs);
	}
}

void jobs_add(struct jobs *jobs, const char *id)
{
	store_add_due(jobs->service->link, STORE_JOBS, id, clock_wall_ms());
}

struct jobs *jobs_open(struct service *service)
{
	struct jobs *jobs = mem_new(struct jobs);

	jobs->service = service;
	jobs->timer = timer_start(service->daemon->loop, LOOK_MS, LOOK_MS, look, jobs);
	return jobs;
}

void jobs_start(struct jobs *jobs)
{
	jobs->is_on = true;
	jobs->is_complete = false;
}

void jobs_stop(struct jobs *jobs)
{
	jobs->is_on = false;
}

bool jobs_idle(const struct jobs *jobs)
{
	return !jobs->is_busy;
}

void jobs_close(struct jobs **_jobs)
{
	struct jobs *jobs = *_jobs;

	*_jobs = NULL;
	if (jobs == NULL)
		return;
	timer_stop(&jobs->timer);
	jobs->is_closed = true;
	jobs->is_on = false;
	if (!jobs->is_busy)
		free(jobs);
}
