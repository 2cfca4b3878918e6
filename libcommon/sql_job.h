/* One piece of work for one connection: a statement, or several as a transaction. */
#ifndef COMMON_SQL_JOB_H
#define COMMON_SQL_JOB_H

#include "sql.h"

struct sql_job {
	struct sql_job *next; /* in the pool's line */
	int64_t deadline_ms;  /* monotonic: to get a connection by */
	bool transaction;
	struct sql_statement *statements; /* values owned, text borrowed */
	size_t count;
	size_t at; /* the statement that runs */
	sql_done_fn *done;
	void *context;
};

struct sql_job *sql_job_new(const struct sql_statement *statements, size_t count, sql_done_fn *done,
			    void *context);
/* Answers and frees the job: the last thing that its caller does, since done may close the pool. */
void sql_job_finish(struct sql_job *job, const struct sql_result *result);
void sql_job_refuse(struct sql_job *job, const char *reason);

#endif
