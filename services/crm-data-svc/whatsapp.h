/* Messages of WhatsApp's Cloud API: what its webhook brings, what is sent. On a thread of the pool.

   The provider repeats webhooks until they are answered with 200. A message's id is made of the
   provider's, so the same one again changes nothing. Messages of one number within a day are one
   conversation: an interaction of the kind "whatsapp", linked to the client that has the number. */
#ifndef CRM_DATA_SVC_WHATSAPP_H
#define CRM_DATA_SVC_WHATSAPP_H

#include "db.h"
#include "phone.h"
#include "record.h"

/* Stores what payload brings; events: a list to which what happened is added. What it does not
   understand it skips. received_r counts new messages. */
DB_MUST enum db_result whatsapp_receive(struct db *db, const cJSON *payload, cJSON *events,
					unsigned *received_r);

/* The conversation with a number: found, or opened. client may be NULL. */
DB_MUST enum db_result whatsapp_conversation(struct db *db, const char *number, int64_t at_ms,
					     const cJSON *client, const char *agent, char id_r[64]);
/* {"messageId", "number", "status", ...}: a crm:message_status of a message. */
cJSON *whatsapp_status_event(const cJSON *message);
/* The body of a request to the provider. Owned by the caller. */
char *whatsapp_body(const cJSON *message);

#endif
