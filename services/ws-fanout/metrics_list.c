#include "metrics_list.h"

#define METRIC(kind, name, help) METRIC_DEF(kind, struct fanout_metrics, name, help)
const struct metric_def fanout_metric_defs[] = {
#include "metrics.inc"
	METRIC_END};
