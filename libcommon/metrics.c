#include "metrics.h"

#include "clock.h"
#include "mem.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const int64_t bounds_us[METRIC_BUCKETS] = {100,    250,     500,     1000,    2500,
						  5000,   10000,   25000,   50000,   100000,
						  250000, 1000000, 2500000, 10000000};

struct metric_set {
	const struct metric_def *defs;
	char *labels; /* owned */
	const void *values;
	struct metric_set *next;
};

struct metrics {
	struct metric_set *first;
	int64_t started_ms;
};

struct metrics *metrics_new(void)
{
	struct metrics *metrics = mem_new(struct metrics);

	metrics->started_ms = clock_wall_ms();
	return metrics;
}

static void free_set(struct metric_set *set)
{
	free(set->labels);
	free(set);
}

void metrics_free(struct metrics **_metrics)
{
	struct metrics *metrics = *_metrics;
	struct metric_set *set;

	*_metrics = NULL;
	if (metrics == NULL)
		return;
	while ((set = metrics->first) != NULL) {
		metrics->first = set->next;
		free_set(set);
	}
	free(metrics);
}

void metrics_add(struct metrics *metrics, const struct metric_def *defs, const char *labels,
		 const void *values)
{
	struct metric_set *set = mem_new(struct metric_set);
	struct metric_set **end = &metrics->first;

	while (*end != NULL)
		end = &(*end)->next;
	*end = set;
	set->defs = defs;
	set->labels = mem_strdup(labels);
	set->values = values;
}

void metrics_remove(struct metrics *metrics, const void *values)
{
	for (struct metric_set **at = &metrics->first; *at != NULL; at = &(*at)->next) {
		struct metric_set *set = *at;

		if (set->values == values) {
			*at = set->next;
			free_set(set);
			return;
		}
	}
}

void metric_observe_us(struct metric_histogram *histogram, int64_t us)
{
	size_t bucket = 0;

	if (us < 0)
		us = 0;
	while (bucket < METRIC_BUCKETS && us > bounds_us[bucket])
		bucket++;
	histogram->buckets[bucket]++;
	histogram->sum_us += (uint64_t)us;
	histogram->count++;
}

static void write_histogram(const char *name, const char *labels,
			    const struct metric_histogram *histogram, struct buffer *out)
{
	const char *comma = labels[0] != '\0' ? "," : "";
	uint64_t total = 0;

	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		total += histogram->buckets[i];
		buffer_printf(out, "mayday_%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, labels,
			      comma, (double)bounds_us[i] / 1e6, total);
	}
	buffer_printf(out, "mayday_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma,
		      histogram->count);
	buffer_printf(out, "mayday_%s_sum{%s} %.6f\n", name, labels,
		      (double)histogram->sum_us / 1e6);
	buffer_printf(out, "mayday_%s_count{%s} %" PRIu64 "\n", name, labels, histogram->count);
}

static void write_value(const struct metric_def *def, const struct metric_set *set,
			struct buffer *out)
{
	const char *value = (const char *)set->values + def->offset;
	uint64_t counter;
	int64_t gauge;

	switch (def->kind) {
	case METRIC_COUNTER:
		memcpy(&counter, value, sizeof(counter));
		buffer_printf(out, "mayday_%s{%s} %" PRIu64 "\n", def->name, set->labels, counter);
		break;
	case METRIC_GAUGE:
		memcpy(&gauge, value, sizeof(gauge));
		buffer_printf(out, "mayday_%s{%s} %" PRId64 "\n", def->name, set->labels, gauge);
		break;
	case METRIC_HISTOGRAM:
		write_histogram(def->name, set->labels,
				(const struct metric_histogram *)(const void *)value, out);
		break;
	}
}

static const char *kind_name(enum metric_kind kind)
{
	static const char *const names[] = {"counter", "gauge", "histogram"};

	return names[kind];
}

/* One def of every set that uses the same table, so that HELP and TYPE stand once. */
static void write_family(const struct metric_set *first, const struct metric_def *def,
			 struct buffer *out)
{
	buffer_printf(out, "# HELP mayday_%s %s\n# TYPE mayday_%s %s\n", def->name, def->help,
		      def->name, kind_name(def->kind));
	for (const struct metric_set *set = first; set != NULL; set = set->next)
		if (set->defs == first->defs)
			write_value(def, set, out);
}

static bool is_first_of_table(const struct metrics *metrics, const struct metric_set *set)
{
	const struct metric_set *at = metrics->first;

	while (at->defs != set->defs)
		at = at->next;
	return at == set;
}

static long resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long total = 0;
	long resident = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -3; /* ".", ".." and dir itself */

	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void write_process(const struct metrics *metrics, struct buffer *out)
{
	struct rusage usage;
	double cpu;

	getrusage(RUSAGE_SELF, &usage);
	cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	buffer_printf(out,
		      "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.3f\n"
		      "# TYPE process_resident_memory_bytes gauge\n"
		      "process_resident_memory_bytes %ld\n"
		      "# TYPE process_open_fds gauge\nprocess_open_fds %d\n"
		      "# TYPE process_start_time_seconds gauge\n"
		      "process_start_time_seconds %.3f\n",
		      cpu, resident_bytes(), open_files(), (double)metrics->started_ms / 1e3);
}

void metrics_write(const struct metrics *metrics, struct buffer *out)
{
	for (const struct metric_set *set = metrics->first; set != NULL; set = set->next)
		if (is_first_of_table(metrics, set))
			for (const struct metric_def *def = set->defs; def->name != NULL; def++)
				write_family(set, def, out);
	write_process(metrics, out);
}
