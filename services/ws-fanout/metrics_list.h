/* The metrics of this daemon: metrics.inc, and stream_metrics.inc for each stream. */
#ifndef WS_FANOUT_METRICS_LIST_H
#define WS_FANOUT_METRICS_LIST_H

#include "metrics.h"

#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
struct fanout_metrics {
#include "metrics.inc"
};
struct stream_metrics {
#include "stream_metrics.inc"
};
#undef METRIC

extern const struct metric_def fanout_metric_defs[], stream_metric_defs[];

#endif
