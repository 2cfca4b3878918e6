/* What ws_clients counts of the events that come: how many, how late, whether one was missed or
   came twice, and when the last of all clients had it. */
#ifndef LOAD_WS_TALLY_H
#define LOAD_WS_TALLY_H

#include "delays.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define TALLY_EVENTS 4096 /* under way at once, at most */

struct tally {
	uint64_t events, bytes, missed, doubled;
	int64_t first_us, last_us;
	struct delays each, whole; /* for each client; until every client had it */
	uint32_t readers[TALLY_EVENTS];
	uint32_t wanted; /* clients that read */
};

/* The number in that field, wherever it stands; -1: it is not there. */
static inline int64_t number_in(const char *payload, size_t len, const char *needle)
{
	const char *found = memmem(payload, len, needle, strlen(needle));

	return found != NULL ? strtoll(found + strlen(needle), NULL, 10) : -1;
}

/* *next is the number that the client's next event must bear; 0: any. */
static inline void tally_order(struct tally *tally, int64_t number, int64_t *next)
{
	if (*next > 0 && number > *next)
		tally->missed += (uint64_t)(number - *next);
	if (*next > 0 && number < *next)
		tally->doubled++;
	else
		*next = number + 1;
}

/* sent: what stands before the time of its sending. */
static inline void tally_event(struct tally *tally, const char *payload, size_t len,
			       const char *sent, int64_t at_us, int64_t *next)
{
	int64_t sent_us = number_in(payload, len, sent), number = number_in(payload, len, "\"n\":");

	if (tally->events++ == 0)
		tally->first_us = at_us;
	tally->last_us = at_us;
	tally->bytes += len;
	if (sent_us >= 0)
		delays_add(&tally->each, at_us - sent_us);
	if (number < 0)
		return;
	tally_order(tally, number, next);
	if (sent_us < 0 || ++tally->readers[number % TALLY_EVENTS] < tally->wanted)
		return;
	tally->readers[number % TALLY_EVENTS] = 0;
	delays_add(&tally->whole, at_us - sent_us);
}

/* Delays from here on. */
static inline void tally_restart(struct tally *tally)
{
	tally->each = tally->whole = (struct delays){0};
}

static inline void tally_print_delays(const char *name, const struct delays *delays)
{
	printf("\"%s\": {\"count\": %" PRIu64 ", \"p50\": %" PRIu64 ", \"p90\": %" PRIu64
	       ", \"p99\": %" PRIu64 ", \"max\": %" PRIu64 "}, ",
	       name, delays->count, delays_percentile(delays, 0.5), delays_percentile(delays, 0.9),
	       delays_percentile(delays, 0.99), delays->max_us);
}

static inline double tally_cpu_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Members of a JSON object, each with a comma behind it. */
static inline void tally_print(const struct tally *tally)
{
	double seconds = (double)(tally->last_us - tally->first_us) / 1e6;

	printf("\"events\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"seconds\": %.3f, "
	       "\"deliveriesPerS\": %.0f, \"missed\": %" PRIu64 ", \"doubled\": %" PRIu64
	       ", \"cpuSeconds\": %.2f, ",
	       tally->events, tally->bytes, seconds,
	       seconds > 0 ? (double)tally->events / seconds : 0, tally->missed, tally->doubled,
	       tally_cpu_seconds());
	tally_print_delays("delayUs", &tally->each);
	tally_print_delays("wholeUs", &tally->whole);
}

#endif
