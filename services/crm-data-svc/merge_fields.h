/* The fields of two clients that become one, and are two again. Pure. */
#ifndef CRM_DATA_SVC_MERGE_FIELDS_H
#define CRM_DATA_SVC_MERGE_FIELDS_H

#include <cjson/cJSON.h>

/* Lists are joined; of all else the first one's counts, the second's fills gaps. */
cJSON *merge_join(const cJSON *into, const cJSON *from);
/* Takes out of the first what it got of the second ("intoWas" and "fromWas" of merge); what was
   changed in it since stays. */
cJSON *merge_without(const cJSON *now, const cJSON *merge);

#endif
