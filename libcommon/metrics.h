/* Numbers for Prometheus. A service lists its metrics once, in metrics.inc, as

	METRIC(COUNTER, ami_events_total, "AMI events read")

   and includes that list to make both a struct of values and the table that describes it:

	#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
	struct gateway_metrics {
	#include "metrics.inc"
	};
	#undef METRIC
	#define METRIC(kind, name, help) METRIC_DEF(kind, struct gateway_metrics, name, help)
	static const struct metric_def metric_defs[] = {
	#include "metrics.inc"
		METRIC_END};

   Every name gets the prefix "mayday_". Values are changed directly: metrics->ami_events_total++.
 */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include "buffer.h"

#include <stddef.h>
#include <stdint.h>

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM
};

#define METRIC_BUCKETS 14

/* Times in microseconds; bounds from 100 us to 10 s, printed as seconds. */
struct metric_histogram {
	uint64_t buckets[METRIC_BUCKETS + 1];
	uint64_t sum_us;
	uint64_t count;
};

struct metric_def {
	enum metric_kind kind;
	const char *name; /* NULL ends the table */
	const char *help;
	size_t offset;
};

#define METRIC_FIELD_COUNTER(name)         uint64_t name;
#define METRIC_FIELD_GAUGE(name)           int64_t name;
#define METRIC_FIELD_HISTOGRAM(name)       struct metric_histogram name;
#define METRIC_DEF(kind, type, name, help) {METRIC_##kind, #name, help, offsetof(type, name)},
#define METRIC_END                                                                                 \
	{                                                                                          \
		METRIC_COUNTER, NULL, NULL, 0                                                      \
	}

struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics **metrics);
/* labels is "" or 'pbx="east"' (copied; already escaped). values must outlive metrics, or be taken
   out with metrics_remove(). Sets of one def table are printed under one HELP line. */
void metrics_add(struct metrics *metrics, const struct metric_def *defs, const char *labels,
		 const void *values);
void metrics_remove(struct metrics *metrics, const void *values);
void metric_observe_us(struct metric_histogram *histogram, int64_t us);
/* Prometheus text, with process_* figures (resident memory, CPU seconds, open files, start time).
 */
void metrics_write(const struct metrics *metrics, struct buffer *out);

#endif
