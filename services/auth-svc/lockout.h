/* How long the next attempt to log in has to wait, from the failures so far: nothing for the first
   few, then 1 s, 2 s, 4 s ... up to five minutes. */
#ifndef AUTH_SVC_LOCKOUT_H
#define AUTH_SVC_LOCKOUT_H

#include <stdint.h>

/* Failures are forgotten this long after the last one. */
#define LOCKOUT_KEEP_MS 900000
/* Many people may stand behind one address: it has this many times the free failures of a user. */
#define LOCKOUT_ADDRESS_FACTOR 10

/* since_ms: since the last failure. Returns 0 when the attempt may go on. */
int64_t lockout_wait_ms(int64_t failures, int64_t failures_free, int64_t since_ms);

#endif
