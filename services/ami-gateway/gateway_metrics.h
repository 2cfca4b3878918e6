/* The figures of one PBX, from metrics.inc. */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include "metrics.h"

#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
struct gateway_metrics {
#include "metrics.inc"
};
#undef METRIC

extern const struct metric_def gateway_metric_defs[];

#endif
