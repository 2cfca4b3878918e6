/* Runs one job on a connection as a chain of MariaDB's non-blocking calls. Knows no loop: it
   answers what to wait for, and is called again when that has come. */
#ifndef COMMON_SQL_EXEC_H
#define COMMON_SQL_EXEC_H

#include "sql_job.h"
#include "sql_rows.h"
#include "sql_statements.h"

struct sql_exec {
	MYSQL *mysql; /* borrowed */
	struct sql_job *job;
	const struct sql_exec_step *step; /* the call under way; NULL: none */
	struct sql_statements statements;
	MYSQL_STMT *statement; /* the one that runs, borrowed from statements */
	int failed;            /* answer of the call */
	/* What came of the job, once it is through: the connection is of no more use, or result. */
	bool lost;
	struct sql_result result;
	struct sql_rows rows;
	char error[256];
};

/* Both return the MYSQL_WAIT_* bits to wait for, or 0 when the job is through. */
int sql_exec_start(struct sql_exec *exec, struct sql_job *job);
int sql_exec_cont(struct sql_exec *exec, int events);
/* After mysql_close(). No call may be under way: see sql_exec_abandon(). */
void sql_exec_free(struct sql_exec *exec);
/* Runs the call that is under way to its end, so that it gives back what it holds. The socket must
   have been shut, so that every read and write fails at once. */
void sql_exec_abandon(struct sql_exec *exec);

#endif
