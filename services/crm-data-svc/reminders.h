/* Callbacks that are due, told as crm:callback_due. When to tell is in Redis (crm:reminders), so
   that looking costs nothing; what is told is read from the callback, which also says for which
   time it was told. Only whoever follows the calls looks. */
#ifndef CRM_DATA_SVC_REMINDERS_H
#define CRM_DATA_SVC_REMINDERS_H

#include "service.h"

struct reminders;

struct reminders *reminders_open(struct service *service);
/* From now on this process tells; it first goes through all open callbacks once, since a reminder
   may not have reached Redis. */
void reminders_start(struct reminders *reminders);
void reminders_stop(struct reminders *reminders);
void reminders_mongo_up(struct reminders *reminders);
void reminders_close(struct reminders **reminders);

#endif
