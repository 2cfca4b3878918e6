#ifndef LIFECYCLE_METRICS_H
#define LIFECYCLE_METRICS_H

#include "metrics.h"

#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
struct lifecycle_metrics {
#include "metrics.inc"
};
#undef METRIC

extern const struct metric_def lifecycle_metric_defs[];

#endif
