/* Documents as cJSON trees on our side, BSON on the wire. Texts become BSON texts whatever they
   hold, so what came from outside can never be read as an operator. */
#ifndef CRM_DATA_SVC_BSON_JSON_H
#define CRM_DATA_SVC_BSON_JSON_H

#include <bson/bson.h>
#include <cjson/cJSON.h>

/* tree is an object or an array; NULL gives an empty document. Whole numbers become int64. The
   caller frees it with bson_destroy(). */
bson_t *bson_from_json(const cJSON *tree);
/* What JSON has no word for (binary, decimals, code ...) becomes null, dates Unix ms, object ids
   their hex form. The caller frees it with cJSON_Delete(). */
cJSON *bson_to_json(const bson_t *document);

#endif
