#include "transfer_metrics.h"

#define METRIC(kind, name, help) METRIC_DEF(kind, struct transfer_metrics, name, help)
const struct metric_def transfer_metric_defs[] = {
#include "metrics.inc"
	METRIC_END};
