#include "password.h"

#include "clock.h"
#include "mem.h"
#include "offload.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Of a password that nobody knows; the same cost as the hashes that are made here. */
#define NOBODYS_HASH                                                                               \
	"$argon2id$v=19$m=65536,t=2,p=1$bm9ib2R5IGhhcyB0aGlzIQ$"                                   \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct job {
	struct password *password; /* NULL once it was closed */
	struct job *next, **link;  /* among the jobs of password */
	char *text;                /* owned, wiped */
	char hash[PASSWORD_HASH_SIZE];
	bool make;           /* a hash, instead of checking one */
	bool nobody;         /* whatever comes out, it is wrong */
	atomic_bool stopped; /* nobody waits any more: do not begin */
	enum password_result result;
	int64_t took_us;
	password_done_fn *done;
	void *context;
};

struct password {
	struct offload *offload;
	struct job *jobs;
	struct metric_histogram *seconds;
};

struct password *password_open(uv_loop_t *loop, size_t running_max, size_t waiting_max,
			       struct metric_histogram *seconds)
{
	struct password *password = mem_new(struct password);

	password->offload = offload_new(loop, running_max, waiting_max);
	password->seconds = seconds;
	return password;
}

static void unlink_job(struct job *job)
{
	*job->link = job->next;
	if (job->next != NULL)
		job->next->link = job->link;
}

void password_close(struct password **_password)
{
	struct password *password = *_password;

	*_password = NULL;
	if (password == NULL)
		return;
	while (password->jobs != NULL) {
		struct job *job = password->jobs;

		unlink_job(job);
		job->password = NULL;
		atomic_store(&job->stopped, true);
		job->done(PASSWORD_STOPPED, NULL, job->context);
	}
	offload_free(&password->offload);
	free(password);
}

/* On a thread of the pool. */
static void work(void *_job)
{
	struct job *job = _job;
	int64_t start_us = clock_mono_us();
	int failed;

	if (atomic_load(&job->stopped))
		return;
	if (job->make)
		failed = crypto_pwhash_str(job->hash, job->text, strlen(job->text),
					   crypto_pwhash_OPSLIMIT_INTERACTIVE,
					   crypto_pwhash_MEMLIMIT_INTERACTIVE);
	else
		failed = crypto_pwhash_str_verify(job->hash, job->text, strlen(job->text));
	job->result = failed || job->nobody ? PASSWORD_WRONG : PASSWORD_RIGHT;
	job->took_us = clock_mono_us() - start_us;
}

static void free_job(struct job *job)
{
	sodium_memzero(job->text, strlen(job->text));
	free(job->text);
	free(job);
}

static void on_worked(void *_job, void *context)
{
	struct job *job = _job;

	(void)context;
	if (job->password != NULL) {
		unlink_job(job);
		metric_observe_us(job->password->seconds, job->took_us);
		job->done(job->result, job->hash, job->context);
	}
	free_job(job);
}

/* Takes over job. */
static int run(struct password *password, struct job *job)
{
	if (offload_run(password->offload, work, on_worked, job, NULL) < 0) {
		free_job(job);
		return -1;
	}
	job->password = password;
	job->next = password->jobs;
	job->link = &password->jobs;
	if (job->next != NULL)
		job->next->link = &job->next;
	password->jobs = job;
	return 0;
}

static struct job *job_new(const char *text, password_done_fn *done, void *context)
{
	struct job *job = mem_new(struct job);

	job->text = mem_strdup(text);
	job->done = done;
	job->context = context;
	return job;
}

int password_verify(struct password *password, const char *text, const char *hash,
		    password_done_fn *done, void *context)
{
	struct job *job = job_new(text, done, context);

	job->nobody = hash == NULL || strlen(hash) >= sizeof(job->hash);
	strcpy(job->hash, job->nobody ? NOBODYS_HASH : hash);
	return run(password, job);
}

int password_hash(struct password *password, const char *text, password_done_fn *done,
		  void *context)
{
	struct job *job = job_new(text, done, context);

	job->make = true;
	return run(password, job);
}
