/* The metrics of this daemon: one list, metrics.inc. */
#ifndef WS_FANOUT_METRICS_LIST_H
#define WS_FANOUT_METRICS_LIST_H

#include "metrics.h"

#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
struct fanout_metrics {
#include "metrics.inc"
};
#undef METRIC

extern const struct metric_def fanout_metric_defs[];

#endif
