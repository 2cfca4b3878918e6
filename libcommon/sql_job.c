#include "sql_job.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

struct sql_value sql_text(const char *text)
{
	if (text == NULL)
		return (struct sql_value){SQL_NULL, 0, NULL, 0};
	return (struct sql_value){SQL_TEXT, 0, text, strlen(text)};
}

static struct sql_value *copy_values(const struct sql_value *values, size_t count)
{
	struct sql_value *copies = mem_array(struct sql_value, count);

	for (size_t i = 0; i < count; i++) {
		copies[i] = values[i];
		if (values[i].kind == SQL_TEXT) {
			char *text = mem_alloc(values[i].len + 1);

			memcpy(text, values[i].text, values[i].len);
			copies[i].text = text;
		}
	}
	return copies;
}

struct sql_job *sql_job_new(const struct sql_statement *statements, size_t count, sql_done_fn *done,
			    void *context)
{
	struct sql_job *job = mem_new(struct sql_job);

	job->statements = mem_array(struct sql_statement, count);
	job->count = count;
	job->done = done;
	job->context = context;
	for (size_t i = 0; i < count; i++) {
		job->statements[i] = statements[i];
		job->statements[i].values = copy_values(statements[i].values, statements[i].count);
	}
	return job;
}

static void free_values(const struct sql_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (values[i].kind == SQL_TEXT)
			free((char *)values[i].text);
	free((struct sql_value *)values);
}

void sql_job_finish(struct sql_job *job, const struct sql_result *result)
{
	if (job->done != NULL)
		job->done(result, job->context);
	for (size_t i = 0; i < job->count; i++)
		free_values(job->statements[i].values, job->statements[i].count);
	free(job->statements);
	free(job);
}

void sql_job_refuse(struct sql_job *job, const char *reason)
{
	struct sql_result result = {.status = SQL_UNAVAILABLE, .error = reason};

	sql_job_finish(job, &result);
}
