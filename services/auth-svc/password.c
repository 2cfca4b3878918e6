#include "password.h"

#include "clock.h"
#include "fair_line.h"
#include "mem.h"
#include "offload.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Of a password that nobody knows; the same cost as the hashes that are made here. */
static const char nobodys_hash[PASSWORD_HASH_SIZE] =
	"$argon2id$v=19$m=65536,t=2,p=1$bm9ib2R5IGhhcyB0aGlzIQ$"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/* Until one was measured. */
#define HASH_US_GUESS 80000
#define NICENESS      10

struct job {
	struct password *password; /* NULL once it was closed */
	struct job *next, **link;  /* among the running jobs of password */
	char *text;                /* owned, wiped */
	char hash[PASSWORD_HASH_SIZE];
	bool make;   /* a hash, instead of checking one */
	bool nobody; /* whatever comes out, it is wrong */
	enum password_result result;
	int64_t took_us;
	password_done_fn *done;
	void *context;
};

struct password {
	struct offload *offload;
	struct fair_line *line;
	struct job *jobs;
	size_t running, running_max;
	int64_t hash_us; /* of one, on the average */
	struct metric_histogram *seconds;
};

struct password *password_open(uv_loop_t *loop, size_t running_max, size_t waiting_max,
			       struct metric_histogram *seconds)
{
	struct password *password = mem_new(struct password);

	password->offload = offload_new(loop, running_max, 0);
	password->line = fair_line_new(waiting_max);
	password->running_max = running_max;
	password->hash_us = HASH_US_GUESS;
	password->seconds = seconds;
	return password;
}

static void unlink_job(struct job *job)
{
	*job->link = job->next;
	if (job->next != NULL)
		job->next->link = job->link;
}

static void free_job(struct job *job)
{
	sodium_memzero(job->text, strlen(job->text));
	free(job->text);
	free(job);
}

static void refuse(struct job *job, enum password_result result)
{
	job->done(result, NULL, job->context);
	free_job(job);
}

void password_close(struct password **_password)
{
	struct password *password = *_password;
	struct job *waiting;

	*_password = NULL;
	if (password == NULL)
		return;
	while (password->jobs != NULL) {
		struct job *job = password->jobs;

		unlink_job(job);
		job->password = NULL;
		job->done(PASSWORD_STOPPED, NULL, job->context);
	}
	while ((waiting = fair_line_take(password->line)) != NULL)
		refuse(waiting, PASSWORD_STOPPED);
	fair_line_free(&password->line);
	offload_free(&password->offload);
	free(password);
}

/* A hash that was quick to make is quick to check: the time is filled up, so that it tells nothing.
 */
static void fill_time(const struct job *job)
{
	if (crypto_pwhash_str_needs_rehash(job->hash, crypto_pwhash_OPSLIMIT_INTERACTIVE,
					   crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		(void)!crypto_pwhash_str_verify(nobodys_hash, job->text, strlen(job->text));
}

/* A hash has time: the loops of all daemons on the machine go first. Of this thread alone, on
   Linux, and it stays so. */
static void step_back(void)
{
	static _Thread_local bool done;

	if (!done)
		(void)setpriority(PRIO_PROCESS, 0, NICENESS);
	done = true;
}

/* On a thread of the pool. */
static void work(void *_job)
{
	struct job *job = _job;
	int64_t start_us = clock_mono_us();
	int failed;

	step_back();
	if (job->make) {
		failed = crypto_pwhash_str(job->hash, job->text, strlen(job->text),
					   crypto_pwhash_OPSLIMIT_INTERACTIVE,
					   crypto_pwhash_MEMLIMIT_INTERACTIVE);
	} else {
		failed = crypto_pwhash_str_verify(job->hash, job->text, strlen(job->text));
		fill_time(job);
	}
	job->result = failed || job->nobody ? PASSWORD_WRONG : PASSWORD_RIGHT;
	job->took_us = clock_mono_us() - start_us;
}

static void on_worked(void *job, void *context);

static void start(struct password *password, struct job *job)
{
	job->password = password;
	job->next = password->jobs;
	job->link = &password->jobs;
	if (job->next != NULL)
		job->next->link = &job->next;
	password->jobs = job;
	password->running++;
	if (offload_run(password->offload, work, on_worked, job, NULL) < 0)
		abort(); /* there are never more than running_max */
}

static void start_next(struct password *password)
{
	struct job *job;

	while (password->running < password->running_max &&
	       (job = fair_line_take(password->line)) != NULL)
		start(password, job);
}

static void on_worked(void *_job, void *context)
{
	struct job *job = _job;
	struct password *password = job->password;

	(void)context;
	if (password != NULL) {
		unlink_job(job);
		password->running--;
		password->hash_us += (job->took_us - password->hash_us) / 8;
		metric_observe_us(password->seconds, job->took_us);
		start_next(password);
		job->done(job->result, job->hash, job->context);
	}
	free_job(job);
}

/* Takes over job. */
static int run(struct password *password, const char *address, struct job *job)
{
	struct job *displaced;

	if (password->running < password->running_max) {
		start(password, job);
		return 0;
	}
	displaced = fair_line_add(password->line, address, job);
	if (displaced == job) {
		free_job(job);
		return -1;
	}
	if (displaced != NULL)
		refuse(displaced, PASSWORD_BUSY);
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

int password_verify(struct password *password, const char *address, const char *text,
		    const char *hash, password_done_fn *done, void *context)
{
	struct job *job = job_new(text, done, context);

	job->nobody = hash == NULL || strlen(hash) >= sizeof(job->hash);
	strcpy(job->hash, job->nobody ? nobodys_hash : hash);
	return run(password, address, job);
}

int password_hash(struct password *password, const char *address, const char *text,
		  password_done_fn *done, void *context)
{
	struct job *job = job_new(text, done, context);

	job->make = true;
	return run(password, address, job);
}

int64_t password_wait_ms(const struct password *password)
{
	int64_t ahead = (int64_t)(fair_line_count(password->line) + password->running);

	return ahead * password->hash_us / (int64_t)password->running_max / 1000;
}

void password_make(char text[PASSWORD_MADE_LEN + 1], char hash[PASSWORD_HASH_SIZE])
{
	/* Without those that look alike. */
	static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

	for (size_t i = 0; i < PASSWORD_MADE_LEN; i++)
		text[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	text[PASSWORD_MADE_LEN] = '\0';
	if (crypto_pwhash_str(hash, text, PASSWORD_MADE_LEN, crypto_pwhash_OPSLIMIT_MIN,
			      crypto_pwhash_MEMLIMIT_MIN) != 0)
		abort(); /* 8 KB are always there */
}
