/* What of a kind a request asks for: filters for equality, a span of time, deleted ones or live
   ones, and no more than the caller sees. */
#ifndef CRM_DATA_SVC_LIST_FILTER_H
#define CRM_DATA_SVC_LIST_FILTER_H

#include "task.h"

/* Of the task's kind and the request's query. NULL: a value cannot be. Owned by the caller. */
cJSON *list_filter(const struct task *task);

#endif
