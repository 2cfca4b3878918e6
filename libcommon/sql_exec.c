#include "sql_exec.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>

/* One call. start and cont answer what to wait for, 0 when the call is through; then next chooses
   the call that follows, NULL when the job is through. */
struct sql_exec_step {
	int (*start)(struct sql_exec *exec);
	int (*cont)(struct sql_exec *exec, int events);
	const struct sql_exec_step *(*next)(struct sql_exec *exec);
};

static const struct sql_exec_step *choose_statement(struct sql_exec *exec);
static const struct sql_exec_step rollback_step;
static const struct sql_exec_step commit_step;

static const struct sql_statement *wanted(const struct sql_exec *exec)
{
	return &exec->job->statements[exec->job->at];
}

/* ---- failure ---- */

/* Of the client library's own errors none leaves a connection that can be trusted. */
static bool is_lost(unsigned number)
{
	return (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) ||
	       (number >= CR_EVENT_CREATE_FAILED && number < 6000) ||
	       number == ER_SERVER_SHUTDOWN || number == ER_CONNECTION_KILLED ||
	       number == ER_UNKNOWN_STMT_HANDLER;
}

static const struct sql_exec_step *fail(struct sql_exec *exec, unsigned number, const char *error)
{
	snprintf(exec->error, sizeof(exec->error), "%s", error);
	sql_rows_free(&exec->rows);
	exec->lost = is_lost(number);
	exec->result = (struct sql_result){
		.status = number == ER_DUP_ENTRY ? SQL_DUPLICATE : SQL_FAILED,
		.error_number = number,
	};
	return exec->job->transaction && !exec->lost ? &rollback_step : NULL;
}

static const struct sql_exec_step *fail_statement(struct sql_exec *exec)
{
	return fail(exec, mysql_stmt_errno(exec->statement), mysql_stmt_error(exec->statement));
}

/* ---- START TRANSACTION, COMMIT, ROLLBACK ---- */

static int start_command(struct sql_exec *exec, const char *command)
{
	return mysql_real_query_start(&exec->failed, exec->mysql, command, strlen(command));
}

static int cont_command(struct sql_exec *exec, int events)
{
	return mysql_real_query_cont(&exec->failed, exec->mysql, events);
}

/* Where such a command fails it is not known what the connection still holds. */
static bool command_failed(struct sql_exec *exec)
{
	if (exec->failed) {
		(void)fail(exec, mysql_errno(exec->mysql), mysql_error(exec->mysql));
		exec->lost = true;
	}
	return exec->failed != 0;
}

static int start_begin(struct sql_exec *exec)
{
	return start_command(exec, "START TRANSACTION");
}

static const struct sql_exec_step *after_begin(struct sql_exec *exec)
{
	return command_failed(exec) ? NULL : choose_statement(exec);
}

static int start_commit(struct sql_exec *exec)
{
	return start_command(exec, "COMMIT");
}

static int start_rollback(struct sql_exec *exec)
{
	return start_command(exec, "ROLLBACK");
}

static const struct sql_exec_step *after_end(struct sql_exec *exec)
{
	(void)command_failed(exec);
	return NULL;
}

static const struct sql_exec_step begin_step = {start_begin, cont_command, after_begin};
static const struct sql_exec_step commit_step = {start_commit, cont_command, after_end};
static const struct sql_exec_step rollback_step = {start_rollback, cont_command, after_end};

/* ---- statements ---- */

static const struct sql_exec_step *statement_through(struct sql_exec *exec)
{
	exec->result.affected = mysql_stmt_affected_rows(exec->statement);
	exec->result.insert_id = mysql_stmt_insert_id(exec->statement);
	mysql_stmt_free_result(exec->statement); /* all rows are here: nothing is sent */
	if (exec->job->at + 1 < exec->job->count) {
		exec->job->at++;
		return choose_statement(exec);
	}
	return exec->job->transaction ? &commit_step : NULL;
}

static int start_store(struct sql_exec *exec)
{
	return mysql_stmt_store_result_start(&exec->failed, exec->statement);
}

static int cont_store(struct sql_exec *exec, int events)
{
	return mysql_stmt_store_result_cont(&exec->failed, exec->statement, events);
}

static const struct sql_exec_step *after_store(struct sql_exec *exec)
{
	if (exec->failed || sql_rows_read(&exec->rows, exec->statement, &exec->result) < 0)
		return fail_statement(exec);
	return statement_through(exec);
}

static const struct sql_exec_step store_step = {start_store, cont_store, after_store};

static int start_execute(struct sql_exec *exec)
{
	return mysql_stmt_execute_start(&exec->failed, exec->statement);
}

static int cont_execute(struct sql_exec *exec, int events)
{
	return mysql_stmt_execute_cont(&exec->failed, exec->statement, events);
}

static const struct sql_exec_step *after_execute(struct sql_exec *exec)
{
	if (exec->failed)
		return fail_statement(exec);
	sql_rows_free(&exec->rows); /* of the statement before */
	exec->result = (struct sql_result){.status = SQL_OK};
	return mysql_stmt_field_count(exec->statement) > 0 ? &store_step : statement_through(exec);
}

static const struct sql_exec_step execute_step = {start_execute, cont_execute, after_execute};

static const struct sql_exec_step *bind_values(struct sql_exec *exec)
{
	if (sql_bind(exec->statement, wanted(exec)->values, wanted(exec)->count) < 0)
		return fail(exec, 0, "the statement takes another number of values");
	return &execute_step;
}

static int start_prepare(struct sql_exec *exec)
{
	return mysql_stmt_prepare_start(&exec->failed, exec->statement, wanted(exec)->text,
					strlen(wanted(exec)->text));
}

static int cont_prepare(struct sql_exec *exec, int events)
{
	return mysql_stmt_prepare_cont(&exec->failed, exec->statement, events);
}

static const struct sql_exec_step *after_prepare(struct sql_exec *exec)
{
	const struct sql_exec_step *next;

	if (!exec->failed)
		return bind_values(exec);
	next = fail_statement(exec);
	if (!exec->lost)
		sql_statements_drop_last(&exec->statements);
	return next;
}

static const struct sql_exec_step prepare_step = {start_prepare, cont_prepare, after_prepare};

static const struct sql_exec_step *choose_statement(struct sql_exec *exec)
{
	exec->statement = sql_statements_find(&exec->statements, wanted(exec)->text);
	if (exec->statement != NULL)
		return bind_values(exec);
	exec->statement = sql_statements_add(&exec->statements, wanted(exec)->text, exec->mysql);
	return &prepare_step;
}

/* ---- the chain ---- */

static int advance(struct sql_exec *exec, int waits)
{
	while (waits == 0) {
		exec->step = exec->step->next(exec);
		if (exec->step == NULL)
			break;
		waits = exec->step->start(exec);
	}
	return waits;
}

int sql_exec_start(struct sql_exec *exec, struct sql_job *job)
{
	exec->job = job;
	exec->lost = false;
	exec->error[0] = '\0';
	exec->step = job->transaction ? &begin_step : choose_statement(exec);
	return exec->step != NULL ? advance(exec, exec->step->start(exec)) : 0;
}

int sql_exec_cont(struct sql_exec *exec, int events)
{
	return advance(exec, exec->step->cont(exec, events));
}

void sql_exec_abandon(struct sql_exec *exec)
{
	if (exec->step != NULL)
		while (exec->step->cont(exec, MYSQL_WAIT_TIMEOUT) != 0)
			;
	exec->step = NULL;
}

void sql_exec_free(struct sql_exec *exec)
{
	sql_statements_free(&exec->statements);
	sql_rows_free(&exec->rows);
}
