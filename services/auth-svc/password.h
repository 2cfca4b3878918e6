/* Password hashes (argon2id) off the loop: few at once, a bounded line behind them in which
   addresses take turns. */
#ifndef AUTH_SVC_PASSWORD_H
#define AUTH_SVC_PASSWORD_H

#include "metrics.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define PASSWORD_HASH_SIZE 128
/* Of a password that is made here. */
#define PASSWORD_MADE_LEN 20

struct password;

enum password_result {
	PASSWORD_RIGHT, /* or: the hash is made */
	PASSWORD_WRONG,
	PASSWORD_BUSY,    /* made room for someone else in the line */
	PASSWORD_STOPPED, /* the daemon stops */
};

/* hash is the new one after password_hash(), borrowed for the call. */
typedef void password_done_fn(enum password_result result, const char *hash, void *context);

struct password *password_open(uv_loop_t *loop, size_t running_max, size_t waiting_max,
			       struct metric_histogram *seconds);
/* Whoever waits is told PASSWORD_STOPPED before this returns. */
void password_close(struct password **password);
/* hash NULL: there is no such user; it takes the same time and is wrong. address: whose turn it is.
   Both copy what they get and return 0, or -1 when the line is full: then done is not called. */
int password_verify(struct password *password, const char *address, const char *text,
		    const char *hash, password_done_fn *done, void *context)
	__attribute__((warn_unused_result));
int password_hash(struct password *password, const char *address, const char *text,
		  password_done_fn *done, void *context) __attribute__((warn_unused_result));
/* How long a newcomer would wait, about. */
int64_t password_wait_ms(const struct password *password);

/* A random password of about 100 bits and its hash, at once: it is too long to be guessed, so that
   its hash need not be slow. */
void password_make(char text[PASSWORD_MADE_LEN + 1], char hash[PASSWORD_HASH_SIZE]);

#endif
