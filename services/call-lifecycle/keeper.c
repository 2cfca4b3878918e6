#include "keeper.h"

#include "clock.h"
#include "file_sum.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "offload.h"
#include "recording_path.h"
#include "store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_MS      1000
#define SWEEP_STEPS  60
#define SETTLE_MS    2000 /* Asterisk writes the rest of the file after the end */
#define LATER_MS     30000
#define GIVE_UP_MS   (int64_t)(2 * 86400000)
#define DAY_MS       (int64_t)86400000
#define REMOVALS_MAX 100

static const char sql_find[] = "SELECT 1 FROM recordings WHERE recording_id = ?";
static const char sql_update[] =
	"UPDATE recordings SET bytes = ?, sha256 = ? WHERE recording_id = ?";

struct keeper {
	struct keeper_settings set;
	struct timer *timer;
	struct offload *offload;
	unsigned steps;
	bool summing, removing;
	bool closed;
	unsigned holds; /* work under way, and the owner */
};

/* One recording, on its way through. */
struct job {
	struct keeper *keeper;
	char id[RECORDING_ID_MAX + 1];
	char path[1100];
	char sum[FILE_SUM_LEN + 1];
	int64_t bytes;
	int error;
};

static void release(struct keeper *keeper)
{
	if (--keeper->holds == 0)
		free(keeper);
}

static bool job_path(struct job *job)
{
	char relative[RECORDING_PATH_MAX];

	recording_path(job->id, relative);
	snprintf(job->path, sizeof(job->path), "%s/%s", job->keeper->set.folder, relative);
	return relative[0] != '\0';
}

static struct job *job_new(struct keeper *keeper, const char *id)
{
	struct job *job = mem_new(struct job);

	job->keeper = keeper;
	snprintf(job->id, sizeof(job->id), "%s", id);
	keeper->holds++;
	return job;
}

static void job_free(struct job *job)
{
	struct keeper *keeper = job->keeper;

	free(job);
	release(keeper);
}

/* ---- sums ---- */

static void finish(struct job *job, bool done)
{
	struct keeper *keeper = job->keeper;
	int64_t now = clock_wall_ms();

	keeper->summing = false;
	if (!keeper->closed) {
		if (!done && now - strtoll(job->id, NULL, 10) > GIVE_UP_MS) {
			log_warn("a recording has no sum", log_str("recording_id", job->id),
				 log_str("why", job->error != 0 ? strerror(job->error)
								: "it is not in the history"));
			done = true;
		}
		(void)store_recording_summed(keeper->set.link, job->id, done ? 0 : now + LATER_MS);
	}
	job_free(job);
}

static void on_updated(const struct sql_result *result, void *context)
{
	finish(context, result->status == SQL_OK);
}

static void on_in_history(const struct sql_result *result, void *context)
{
	struct job *job = context;
	const struct sql_value values[] = {sql_int(job->bytes), sql_text(job->sum),
					   sql_text(job->id)};

	if (result->status != SQL_OK || result->rows == 0 || job->keeper->closed)
		finish(job, false);
	else
		sql_query(job->keeper->set.sql, sql_update, values, 3, on_updated, job);
}

static void tell_history(struct job *job)
{
	const struct sql_value id = sql_text(job->id);

	if (job->keeper->set.sql == NULL)
		finish(job, true);
	else
		sql_query(job->keeper->set.sql, sql_find, &id, 1, on_in_history, job);
}

static void work_sum(void *_job)
{
	struct job *job = _job;

	job->error = file_sum(job->path, job->sum, &job->bytes);
}

static void on_sum(void *_job, void *context)
{
	struct job *job = _job;

	(void)context;
	if (job->error != 0 || job->keeper->closed ||
	    store_recording_set_sum(job->keeper->set.link, job->id, job->bytes, job->sum) < 0)
		finish(job, false);
	else
		tell_history(job);
}

static void on_known(const redisReply *reply, void *context)
{
	struct job *job = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || job->keeper->closed) {
		job->keeper->summing = false;
		job_free(job);
		return;
	}
	if (reply->element[0]->type == REDIS_REPLY_STRING &&
	    reply->element[1]->type == REDIS_REPLY_STRING) {
		job->bytes = strtoll(reply->element[0]->str, NULL, 10);
		snprintf(job->sum, sizeof(job->sum), "%s", reply->element[1]->str);
		tell_history(job);
	} else if (!job_path(job) ||
		   offload_run(job->keeper->offload, work_sum, on_sum, job, NULL) < 0) {
		finish(job, false);
	}
}

static void on_unsummed(const redisReply *reply, void *context)
{
	struct keeper *keeper = context;
	struct job *job;

	keeper->summing = false;
	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
	    !keeper->closed) {
		job = job_new(keeper, reply->element[0]->str);
		if (store_recording_sum(keeper->set.link, job->id, on_known, job) == 0)
			keeper->summing = true;
		else
			job_free(job);
	}
	release(keeper);
}

/* ---- removal ---- */

static void work_remove(void *_job)
{
	struct job *job = _job;

	job->error = unlink(job->path) == 0 || errno == ENOENT ? 0 : errno;
}

static void on_removed(void *_job, void *context)
{
	struct job *job = _job;

	(void)context;
	if (job->error != 0)
		log_warn("a recording cannot be removed", log_str("recording_id", job->id),
			 log_str("why", strerror(job->error)));
	else if (!job->keeper->closed)
		(void)store_recording_forget(job->keeper->set.link, job->id);
	job_free(job);
}

static void on_old(const redisReply *reply, void *context)
{
	struct keeper *keeper = context;

	keeper->removing = false;
	for (size_t i = 0; reply != NULL && reply->type == REDIS_REPLY_ARRAY && !keeper->closed &&
			   i < reply->elements;
	     i++) {
		struct job *job = job_new(keeper, reply->element[i]->str);

		if (!job_path(job) ||
		    offload_run(keeper->offload, work_remove, on_removed, job, NULL) < 0)
			job_free(job);
	}
	release(keeper);
}

static void on_step(void *context)
{
	struct keeper *keeper = context;
	int64_t now = clock_wall_ms();

	if (!redis_link_is_up(keeper->set.link))
		return;
	if (!keeper->summing && store_recordings_unsummed(keeper->set.link, now - SETTLE_MS,
							  on_unsummed, keeper) == 0) {
		keeper->summing = true;
		keeper->holds++;
	}
	if (keeper->steps++ % SWEEP_STEPS == 0 && !keeper->removing &&
	    store_recordings_old(keeper->set.link, now - keeper->set.keep_days * DAY_MS,
				 REMOVALS_MAX, on_old, keeper) == 0) {
		keeper->removing = true;
		keeper->holds++;
	}
}

struct keeper *keeper_open(uv_loop_t *loop, const struct keeper_settings *set)
{
	struct keeper *keeper = mem_new(struct keeper);

	keeper->set = *set;
	keeper->holds = 1;
	keeper->offload = offload_new(loop, 1, REMOVALS_MAX + 1);
	keeper->timer = timer_start(loop, STEP_MS, STEP_MS, on_step, keeper);
	return keeper;
}

void keeper_close(struct keeper **closed)
{
	struct keeper *keeper = *closed;

	*closed = NULL;
	if (keeper == NULL)
		return;
	keeper->closed = true;
	timer_stop(&keeper->timer);
	offload_free(&keeper->offload);
	release(keeper);
}
