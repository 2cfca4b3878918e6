/* One connection of a pool: connects, runs one job at a time, reconnects with back-off. */
#ifndef COMMON_SQL_LINK_H
#define COMMON_SQL_LINK_H

#include "sql_job.h"

struct sql_link;

struct sql_link_hooks {
	/* Connected; on_free follows. */
	void (*on_up)(void *context);
	/* Free for a job: after the connect and after each job. Must not start one itself. */
	void (*on_free)(void *context);
	/* It was up and is lost, or an attempt to connect has failed. reason is borrowed. */
	void (*on_down)(bool was_up, const char *reason, void *context);
	void *context;
};

/* settings must outlive the link; hooks are copied. */
struct sql_link *sql_link_open(uv_loop_t *loop, const struct sql_settings *settings,
			       const struct sql_link_hooks *hooks);
/* The job under way is answered with SQL_UNAVAILABLE. */
void sql_link_close(struct sql_link **link);
bool sql_link_is_free(const struct sql_link *link);
/* Takes over job. Only while the link is free. */
void sql_link_run(struct sql_link *link, struct sql_job *job);

#endif
