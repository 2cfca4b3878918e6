/* Messages on their way to the provider: each is offered until it is taken, refused, or was offered
   WHATSAPP_TRIES times. When is in Redis (crm:outbox), what is in MongoDB, so a restart loses none.
   Only whoever follows the calls sends. */
#ifndef CRM_DATA_SVC_OUTBOX_H
#define CRM_DATA_SVC_OUTBOX_H

#include "service.h"

struct outbox;

struct outbox *outbox_open(struct service *service);
void outbox_start(struct outbox *outbox);
void outbox_stop(struct outbox *outbox);
/* A message that was stored. */
void outbox_add(struct outbox *outbox, const char *message_id);
void outbox_close(struct outbox **outbox);

#endif
