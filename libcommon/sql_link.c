#include "sql_link.h"

#include "loop.h"
#include "mem.h"
#include "sql_exec.h"
#include "sql_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000

struct sql_link {
	uv_loop_t *loop;
	const struct sql_settings *settings;
	struct sql_link_hooks hooks;
	struct sql_wait *wait;
	struct timer *retry; /* until the next attempt to connect */
	unsigned attempt;
	enum {
		STATE_AWAY, /* mysql is not initialised */
		STATE_CONNECTING,
		STATE_FREE,
		STATE_BUSY
	} state;
	MYSQL mysql;
	MYSQL *connected; /* answer of the connect call */
	struct sql_exec exec;
	struct sql_job *job; /* owned while busy */
};

static void connect_now(void *context);

/* ---- losing ---- */

static void abandon_call(struct sql_link *link)
{
	shutdown(mysql_get_socket(&link->mysql), SHUT_RDWR);
	if (link->state == STATE_BUSY)
		sql_exec_abandon(&link->exec);
	else if (link->state == STATE_CONNECTING)
		while (mysql_real_connect_cont(&link->connected, &link->mysql,
					       MYSQL_WAIT_TIMEOUT) != 0)
			;
}

static void disconnect(struct sql_link *link)
{
	sql_wait_release(link->wait);
	mysql_close(&link->mysql);
	sql_exec_free(&link->exec);
	link->exec = (struct sql_exec){0};
	link->state = STATE_AWAY;
}

/* reason may belong to the connection. */
static void lose(struct sql_link *link, const char *reason)
{
	char text[sizeof(link->exec.error)];
	bool was_up = link->state >= STATE_FREE;
	struct sql_job *job = link->job;

	snprintf(text, sizeof(text), "%s", reason);
	link->job = NULL;
	disconnect(link);
	link->retry =
		timer_start(link->loop, backoff_ms(link->attempt++, RETRY_MIN_MS, RETRY_MAX_MS), 0,
			    connect_now, link);
	link->hooks.on_down(was_up, text, link->hooks.context);
	if (job != NULL)
		sql_job_refuse(job, text);
}

/* ---- one job ---- */

static void become_free(struct sql_link *link)
{
	link->state = STATE_FREE;
	/* The server never speaks first: when there is something to read, it is the end. */
	sql_wait_arm(link->wait, mysql_get_socket(&link->mysql), MYSQL_WAIT_READ, 0);
	link->hooks.on_free(link->hooks.context);
}

/* The answer is taken out of the link first: whoever gets it may close the pool. */
static void finish(struct sql_link *link)
{
	struct sql_job *job = link->job;
	struct sql_result result = link->exec.result;
	struct sql_rows rows = link->exec.rows;
	char error[sizeof(link->exec.error)];

	memcpy(error, link->exec.error, sizeof(error));
	result.error = error;
	link->job = NULL;
	link->exec.rows = (struct sql_rows){0};
	become_free(link);
	sql_job_finish(job, &result);
	sql_rows_free(&rows);
}

static void after_exec(struct sql_link *link, int waits)
{
	if (waits != 0)
		sql_wait_arm(link->wait, mysql_get_socket(&link->mysql), waits,
			     link->settings->timeout_ms);
	else if (link->exec.lost)
		lose(link, link->exec.error);
	else
		finish(link);
}

void sql_link_run(struct sql_link *link, struct sql_job *job)
{
	link->job = job;
	link->state = STATE_BUSY;
	after_exec(link, sql_exec_start(&link->exec, job));
}

bool sql_link_is_free(const struct sql_link *link)
{
	return link->state == STATE_FREE;
}

/* ---- connecting ---- */

static void after_connect(struct sql_link *link, int waits)
{
	if (waits != 0) {
		sql_wait_arm(link->wait, mysql_get_socket(&link->mysql), waits,
			     link->settings->timeout_ms);
	} else if (link->connected == NULL) {
		lose(link, mysql_error(&link->mysql));
	} else {
		link->attempt = 0;
		link->exec.mysql = &link->mysql;
		link->hooks.on_up(link->hooks.context);
		become_free(link);
	}
}

static void set_options(const struct sql_link *link, MYSQL *mysql)
{
	/* The link's own timer is finer and comes first; these are the library's, in seconds. */
	unsigned seconds = (unsigned)(link->settings->timeout_ms / 1000) + 1;
	unsigned no = 0;

	mysql_options(mysql, MYSQL_OPT_NONBLOCK, NULL);
	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
	mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
	mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(mysql, MYSQL_INIT_COMMAND, "SET time_zone = '+00:00'");
}

static void connect_now(void *context)
{
	struct sql_link *link = context;
	const struct sql_settings *set = link->settings;

	timer_stop(&link->retry);
	mysql_init(&link->mysql);
	set_options(link, &link->mysql);
	link->state = STATE_CONNECTING;
	after_connect(link, mysql_real_connect_start(&link->connected, &link->mysql, set->host,
						     set->user, set->password, set->database,
						     (unsigned)set->port, NULL, 0));
}

static void on_wait(int events, void *context)
{
	struct sql_link *link = context;

	if (link->state == STATE_FREE) {
		lose(link, "closed by the server");
	} else if (events == MYSQL_WAIT_TIMEOUT) {
		abandon_call(link);
		lose(link, "timed out");
	} else if (link->state == STATE_CONNECTING) {
		after_connect(link,
			      mysql_real_connect_cont(&link->connected, &link->mysql, events));
	} else {
		after_exec(link, sql_exec_cont(&link->exec, events));
	}
}

struct sql_link *sql_link_open(uv_loop_t *loop, const struct sql_settings *settings,
			       const struct sql_link_hooks *hooks)
{
	struct sql_link *link = mem_new(struct sql_link);

	link->loop = loop;
	link->settings = settings;
	link->hooks = *hooks;
	link->wait = sql_wait_new(loop, on_wait, link);
	link->retry = timer_start(loop, 0, 0, connect_now, link);
	return link;
}

void sql_link_close(struct sql_link **_link)
{
	struct sql_link *link = *_link;
	struct sql_job *job;

	*_link = NULL;
	if (link == NULL)
		return;
	timer_stop(&link->retry);
	if (link->state != STATE_AWAY) {
		if (link->state != STATE_FREE)
			abandon_call(link);
		disconnect(link);
	}
	sql_wait_free(&link->wait);
	job = link->job;
	free(link);
	if (job != NULL)
		sql_job_refuse(job, "the daemon stops");
}
