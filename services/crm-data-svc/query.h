/* Small helpers to build filters for MongoDB out of parts. */
#ifndef CRM_DATA_SVC_QUERY_H
#define CRM_DATA_SVC_QUERY_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Adds a condition that holds beside the others. Takes over condition. */
void query_and(cJSON *filter, cJSON *condition);
/* {field: {"$gte": since, "$lt": until}}, as far as they are given: Unix ms. False: they are none.
 */
bool query_add_span(cJSON *filter, const char *field, const char *since, const char *until);
/* {field: {"$regex": "^prefix"}} with everything in prefix meant literally. */
cJSON *query_prefix(const char *field, const char *prefix);

#endif
