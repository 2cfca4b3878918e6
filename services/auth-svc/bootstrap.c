#include "bootstrap.h"

#include "log.h"
#include "loop.h"
#include "mem.h"
#include "migrations.h"
#include "offload.h"

#include <stdio.h>
#include <stdlib.h>

#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 5000

/* On a thread: outlives a bootstrap that is closed meanwhile. */
struct migration_job {
	struct bootstrap *bootstrap; /* NULL once it was closed */
	const struct sql_settings *settings;
	int applied;
	char *error;
};

struct bootstrap {
	uv_loop_t *loop;
	const struct settings *set;
	struct users *users;
	struct password *password;
	struct health_item *health;
	struct offload *offload;
	struct migration_job *job; /* under way */
	struct timer *retry;
	void (*on_done)(void *context);
	void *context;
	unsigned attempt;
	enum {
		STEP_WAIT, /* for MariaDB, or for the next attempt */
		STEP_SCHEMA,
		STEP_SUPERUSER,
		STEP_DONE
	} step;
};

static void begin(void *context);

struct bootstrap *bootstrap_open(uv_loop_t *loop, const struct settings *set, struct users *users,
				 struct password *password, struct health *health,
				 void (*on_done)(void *context), void *context)
{
	struct bootstrap *bootstrap = mem_new(struct bootstrap);

	bootstrap->loop = loop;
	bootstrap->set = set;
	bootstrap->users = users;
	bootstrap->password = password;
	bootstrap->on_done = on_done;
	bootstrap->context = context;
	bootstrap->health = health_add(health, "schema", false);
	bootstrap->offload = offload_new(loop, 1, 0);
	return bootstrap;
}

void bootstrap_close(struct bootstrap **_bootstrap)
{
	struct bootstrap *bootstrap = *_bootstrap;

	*_bootstrap = NULL;
	if (bootstrap == NULL)
		return;
	if (bootstrap->job != NULL)
		bootstrap->job->bootstrap = NULL;
	offload_free(&bootstrap->offload);
	timer_stop(&bootstrap->retry);
	free(bootstrap);
}

bool bootstrap_is_done(const struct bootstrap *bootstrap)
{
	return bootstrap->step == STEP_DONE;
}

static void fail(struct bootstrap *bootstrap, const char *reason)
{
	bootstrap->step = STEP_WAIT;
	health_set(bootstrap->health, false, reason);
	timer_stop(&bootstrap->retry);
	bootstrap->retry = timer_start(bootstrap->loop,
				       backoff_ms(bootstrap->attempt++, RETRY_MIN_MS, RETRY_MAX_MS),
				       0, begin, bootstrap);
}

/* ---- the first superuser ---- */

static void finish(struct bootstrap *bootstrap)
{
	bootstrap->step = STEP_DONE;
	health_set(bootstrap->health, true, NULL);
	bootstrap->on_done(bootstrap->context);
}

static void on_added(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct bootstrap *bootstrap = context;

	(void)count;
	if (result == USERS_UNAVAILABLE || result == USERS_FAILED) {
		fail(bootstrap, "the first superuser could not be stored");
		return;
	}
	if (result == USERS_OK)
		log_info("the first superuser was made", log_str("username", list[0].username));
	finish(bootstrap); /* any other answer: another process has made a user */
}

static void on_hashed(enum password_result result, const char *hash, void *context)
{
	struct bootstrap *bootstrap = context;
	struct user user = {.role = ROLE_SUPERUSER, .enabled = true};

	if (result == PASSWORD_STOPPED)
		return;
	if (result != PASSWORD_RIGHT) {
		fail(bootstrap, "the first superuser's password could not be hashed");
		return;
	}
	snprintf(user.username, sizeof(user.username), "%s", bootstrap->set->auth.superuser_name);
	snprintf(user.password_hash, sizeof(user.password_hash), "%s", hash);
	users_add_first(bootstrap->users, &user, on_added, bootstrap);
}

static void on_any(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct bootstrap *bootstrap = context;
	const struct auth_settings *set = &bootstrap->set->auth;

	(void)list;
	(void)count;
	if (result == USERS_OK) {
		finish(bootstrap);
	} else if (result != USERS_NONE) {
		fail(bootstrap, "users cannot be read");
	} else if (set->superuser_name[0] == '\0') {
		log_warn("there is no user, and AUTH_SUPERUSER_NAME is not set: nobody can log in");
		finish(bootstrap);
	} else if (password_hash(bootstrap->password, "", set->superuser_password, on_hashed,
				 bootstrap) < 0) {
		fail(bootstrap, "too many hashes are waiting");
	}
}

/* ---- the schema ---- */

static void migrate(void *_job)
{
	struct migration_job *job = _job;

	job->applied = migrations_run(job->settings, &job->error);
}

static void on_migrated(void *_job, void *context)
{
	struct migration_job *job = _job;
	struct bootstrap *bootstrap = job->bootstrap;

	(void)context;
	if (bootstrap != NULL) {
		bootstrap->job = NULL;
		if (job->applied < 0) {
			fail(bootstrap, job->error);
		} else {
			if (job->applied > 0)
				log_info("the schema was changed",
					 log_int("changes", job->applied));
			bootstrap->step = STEP_SUPERUSER;
			users_any(bootstrap->users, on_any, bootstrap);
		}
	}
	free(job->error);
	free(job);
}

static void begin(void *context)
{
	struct bootstrap *bootstrap = context;
	struct migration_job *job = mem_new(struct migration_job);

	timer_stop(&bootstrap->retry);
	bootstrap->step = STEP_SCHEMA;
	job->bootstrap = bootstrap;
	job->settings = &bootstrap->set->sql;
	bootstrap->job = job;
	if (offload_run(bootstrap->offload, migrate, on_migrated, job, NULL) < 0)
		abort(); /* there is never a second one */
}

void bootstrap_database_up(struct bootstrap *bootstrap)
{
	if (bootstrap->step == STEP_WAIT)
		begin(bootstrap);
}
