#include "writer_fixture.h"

#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uv_loop_t loop;
struct redis_server server;
struct stream_writer *writer;
struct stream_writer_settings set;
struct seen seen;
int added;

void on_up(void *context)
{
	(void)context;
	seen.ups++;
}

void on_down(const char *reason, void *context)
{
	(void)context;
	seen.downs++;
	snprintf(seen.reason, sizeof(seen.reason), "%s", reason);
}

static void on_overflow(uint64_t dropped, int64_t from_ms, int64_t to_ms, void *context)
{
	(void)context;
	seen.overflow += dropped;
	seen.overflows++;
	seen.from_ms = from_ms;
	seen.to_ms = to_ms;
}

static void on_rewound(int64_t from_ms, int64_t to_ms, void *context)
{
	(void)context;
	seen.rewinds++;
	seen.from_ms = from_ms;
	seen.to_ms = to_ms;
}

void on_drained(void *context)
{
	(void)context;
	seen.drained++;
}

void open_writer(void)
{
	seen = (struct seen){0};
	writer = stream_writer_open(&loop, &set);
}

void add(int count)
{
	char text[64];

	for (int i = 0; i < count; i++) {
		int len = snprintf(text, sizeof(text), "entry number %d", added++);

		stream_writer_add(writer, text, (size_t)len);
	}
}

bool is_drained(void)
{
	return stream_writer_backlog(writer) == 0;
}

/* What the server said it has written survives a kill of the process: the kernel has it, whenever
   it reaches the disk. */
int set_up(void **state)
{
	(void)state;
	uv_loop_init(&loop);
	redis_server_prepare(&server, "--appendonly yes --appendfsync no");
	set = (struct stream_writer_settings){
		.redis = &server.settings,
		.stream = STREAM,
		.field = "e",
		.keep_ms = 3600000,
		.keep_max = 1000000,
		.buffer_max = 8 << 20,
		.on_up = on_up,
		.on_down = on_down,
		.on_overflow = on_overflow,
		.on_rewound = on_rewound,
		.on_drained = on_drained,
	};
	added = 0;
	return 0;
}

int tear_down(void **state)
{
	(void)state;
	stream_writer_close(&writer);
	finish_loop(&loop);
	redis_server_remove(&server);
	return 0;
}

/* ---- what is in Redis ---- */

static int number_of(const redisReply *entry)
{
	const redisReply *fields = entry->element[1];
	int number = -1;

	assert_int_equal(fields->elements, 2);
	assert_string_equal(fields->element[0]->str, "e");
	if (sscanf(fields->element[1]->str, "entry number %d", &number) != 1)
		return -1; /* somebody else's */
	return number;
}

/* Every number from first to last once; others' entries are skipped. */
static void expect_all(int first, int last, bool in_order)
{
	redisReply *reply = redis_server_ask(&server, "XRANGE " STREAM " - +");
	bool *is_stored = mem_array(bool, (size_t)(last - first + 1));
	int stored = 0;

	assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
	for (size_t i = 0; i < reply->elements; i++) {
		int number = number_of(reply->element[i]);

		if (number < 0)
			continue;
		assert_in_range(number, first, last);
		assert_false(is_stored[number - first]);
		assert_true(!in_order || number == first + stored);
		is_stored[number - first] = true;
		stored++;
	}
	assert_int_equal(stored, last - first + 1);
	free(is_stored);
	freeReplyObject(reply);
}

void expect_stored(int first, int last)
{
	expect_all(first, last, true);
}

void expect_stored_somehow(int first, int last)
{
	expect_all(first, last, false);
}
