#include "lifecycle_metrics.h"

#define METRIC(kind, name, help) METRIC_DEF(kind, struct lifecycle_metrics, name, help)
const struct metric_def lifecycle_metric_defs[] = {
#include "metrics.inc"
	METRIC_END};
#undef METRIC
