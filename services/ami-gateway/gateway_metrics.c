#include "gateway_metrics.h"

#define METRIC(kind, name, help) METRIC_DEF(kind, struct gateway_metrics, name, help)
const struct metric_def gateway_metric_defs[] = {
#include "metrics.inc"
	METRIC_END};
