/* How fast stream_writer and stream_reader are, against the Redis of the usual REDIS_* settings:

	build/load/stream_bench [entries] [bytes of each]

   Writes to a stream of its own, reads it back through a group with one XACK for each batch, and
   removes it. One line for each direction. */
#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "redis_link.h"
#include "redis_settings.h"
#include "resp.h"
#include "stream_reader.h"
#include "stream_writer.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BATCH_MAX   500
#define TICK_COUNT  250 /* entries that come with each turn of the loop, as from a busy socket */
#define BACKLOG_MAX (4 << 20)

static struct bench {
	uv_loop_t loop;
	struct redis_settings redis;
	char stream[64];
	uint64_t entries;
	size_t size;
	char *entry;
	uint64_t written, read;
	int64_t started_us;
	int64_t started_cpu_us;
	struct stream_writer *writer;
	struct stream_reader *reader;
	struct redis_link *link;
	uv_idle_t source;
	struct timer *resume;
} bench;

static int64_t cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void start_clock(void)
{
	bench.started_us = clock_mono_us();
	bench.started_cpu_us = cpu_us();
}

static void print_rate(const char *what)
{
	double seconds = (double)(clock_mono_us() - bench.started_us) / 1e6;
	double cpu = (double)(cpu_us() - bench.started_cpu_us);

	printf("%s: %.0f entries/s (%" PRIu64 " entries of %zu bytes in %.2f s, %.2f us of CPU "
	       "each)\n",
	       what, (double)bench.entries / seconds, bench.entries, bench.size, seconds,
	       cpu / (double)bench.entries);
}

/* ---- reader ---- */

static void on_removed(const redisReply *reply, void *context)
{
	(void)reply;
	(void)context;
	redis_link_close(&bench.link);
}

static void on_acked(const redisReply *reply, void *context)
{
	(void)context;
	if (reply == NULL)
		return;
	if (bench.read < bench.entries) {
		stream_reader_next(bench.reader);
		return;
	}
	print_rate("stream_reader");
	stream_reader_close(&bench.reader);
	(void)redis_link_command(bench.link, on_removed, NULL, "DEL %s", bench.stream);
}

static void on_batch(const struct stream_entry *entries, size_t count, void *context)
{
	struct buffer ack = {0};

	(void)context;
	resp_array(&ack, 3 + count);
	resp_text(&ack, "XACK");
	resp_text(&ack, bench.stream);
	resp_text(&ack, "bench");
	for (size_t i = 0; i < count; i++)
		resp_text(&ack, entries[i].id);
	bench.read += count;
	(void)redis_link_raw(bench.link, on_acked, NULL, ack.data, ack.len);
	buffer_free(&ack);
}

static void begin_reading(void *context)
{
	static const char *streams[2];
	const struct stream_reader_settings set = {
		.redis = &bench.redis,
		.streams = streams,
		.group = "bench",
		.consumer = "reader",
		.batch_max = BATCH_MAX,
		.block_ms = 1000,
		.on_batch = on_batch,
	};

	(void)context;
	streams[0] = bench.stream;
	start_clock();
	bench.reader = stream_reader_open(&bench.loop, &set);
}

/* ---- writer ---- */

static void on_source(uv_idle_t *source)
{
	for (int i = 0; i < TICK_COUNT && bench.written < bench.entries; i++) {
		if (stream_writer_backlog(bench.writer) > BACKLOG_MAX) {
			uv_idle_stop(source);
			timer_again(bench.resume, 1);
			return;
		}
		stream_writer_add(bench.writer, bench.entry, bench.size);
		bench.written++;
	}
	if (bench.written == bench.entries)
		uv_close((uv_handle_t *)source, NULL);
}

static void on_resume(void *context)
{
	(void)context;
	if (!uv_is_closing((uv_handle_t *)&bench.source))
		uv_idle_start(&bench.source, on_source);
}

static void on_drained(void *context)
{
	const struct redis_link_hooks hooks = {begin_reading, NULL, NULL};

	(void)context;
	if (bench.written < bench.entries)
		return;
	print_rate("stream_writer");
	timer_stop(&bench.resume);
	stream_writer_close(&bench.writer);
	bench.link = redis_link_open(&bench.loop, &bench.redis, "bench", &hooks);
}

static void on_writer_up(void *context)
{
	(void)context;
	start_clock();
	uv_idle_init(&bench.loop, &bench.source);
	bench.resume = timer_start(&bench.loop, 0, 0, on_resume, NULL);
}

int main(int argc, char *argv[])
{
	const struct settings_group groups[] = {{redis_settings_table, &bench.redis}, {0}};
	struct buffer faults = {0};
	const struct stream_writer_settings set = {
		.redis = &bench.redis,
		.stream = bench.stream,
		.field = "e",
		.keep_ms = 3600000,
		.keep_max = 1000000,
		.buffer_max = 64 << 20,
		.on_up = on_writer_up,
		.on_drained = on_drained,
	};

	if (settings_load(groups, &faults) < 0) {
		fputs(buffer_str(&faults), stderr);
		return 1;
	}
	bench.entries = argc > 1 ? strtoull(argv[1], NULL, 10) : 500000;
	bench.size = argc > 2 ? strtoull(argv[2], NULL, 10) : 500;
	bench.entry = mem_alloc(bench.size + 1);
	memset(bench.entry, 'x', bench.size);
	snprintf(bench.stream, sizeof(bench.stream), "bench:%d", (int)getpid());
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&bench.loop);
	bench.writer = stream_writer_open(&bench.loop, &set);
	uv_run(&bench.loop, UV_RUN_DEFAULT);
	uv_loop_close(&bench.loop);
	settings_free(groups);
	free(bench.entry);
	return 0;
}
