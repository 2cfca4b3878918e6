/* Which clients have a number: collection "numbers", one document for each number, found by its _id
   alone, so that a screen pop costs the same with a thousand clients and with a million, and on a
   server that keeps no other index.

   {"_id": "+493012345", "of": ["<clientId>", "<clientId>:<contactId>"]}

   An entry is added before its record is written and taken out after: one too many can be there,
   one too few cannot. Who reads holds each against its record. */
#ifndef CRM_DATA_SVC_NUMBER_INDEX_H
#define CRM_DATA_SVC_NUMBER_INDEX_H

#include "db.h"
#include "kinds.h"

/* before may be NULL. Kinds that are no party do nothing. */
DB_MUST enum db_result number_index_add(struct db *db, const struct kind *kind, const cJSON *before,
					const cJSON *after);
DB_MUST enum db_result number_index_remove(struct db *db, const struct kind *kind,
					   const cJSON *before, const cJSON *after);

/* *list_r: clients as they are kept, each with "contact" (the contact's document) where the number
   is a contact's; at most max. */
DB_MUST enum db_result number_index_find(struct db *db, const char *number, size_t max,
					 cJSON **list_r);

#endif
