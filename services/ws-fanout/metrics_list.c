#include "metrics_list.h"

#define METRIC(kind, name, help) METRIC_DEF(kind, struct fanout_metrics, name, help)
const struct metric_def fanout_metric_defs[] = {
#include "metrics.inc"
	METRIC_END};
#undef METRIC

#define METRIC(kind, name, help) METRIC_DEF(kind, struct stream_metrics, name, help)
const struct metric_def stream_metric_defs[] = {
#include "stream_metrics.inc"
	METRIC_END};
