/* The values of metrics.inc. */
#ifndef TRANSFER_SVC_TRANSFER_METRICS_H
#define TRANSFER_SVC_TRANSFER_METRICS_H

#include "metrics.h"

#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
struct transfer_metrics {
#include "metrics.inc"
};
#undef METRIC

extern const struct metric_def transfer_metric_defs[];

#endif
