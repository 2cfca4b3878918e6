/* A writer to a stream of a test's own Redis, the numbered entries that go in, and what came of
   them. */
#ifndef TESTS_WRITER_FIXTURE_H
#define TESTS_WRITER_FIXTURE_H

#include "redis_fixture.h"
#include "stream_writer.h"

#define STREAM "events"

extern uv_loop_t loop;
extern struct redis_server server;
extern struct stream_writer *writer;
extern struct stream_writer_settings set; /* a test may change them before open_writer() */
extern int added;                         /* entries so far; they are numbered from 0 */

extern struct seen {
	int ups, downs, drained;
	uint64_t overflow;
	int overflows, rewinds;
	int64_t from_ms, to_ms;
	char reason[256];
} seen;

/* For the group of tests: a server that is prepared, but not started. */
int set_up(void **state);
int tear_down(void **state);

void on_up(void *context);
void on_down(const char *reason, void *context);
void on_drained(void *context);

void open_writer(void);
void add(int count);
bool is_drained(void);
/* Every number from first to last is in Redis once and in order; others' entries are skipped. */
void expect_stored(int first, int last);
/* The same in whatever order. */
void expect_stored_somehow(int first, int last);

#endif
