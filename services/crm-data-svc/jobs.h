/* Work that outlives its request: imports and exports, piece by piece, merges that are to be
   complete, records that follow their client to another team. Done by the one instance that holds
   the lease of the calls; Redis holds what there is (crm:jobs, crm:merges, crm:moves), MongoDB how
   far it is. */
#ifndef CRM_DATA_SVC_JOBS_H
#define CRM_DATA_SVC_JOBS_H

#include "service.h"

struct jobs;

struct jobs *jobs_open(struct service *service);
/* While it is on it looks for what there is to do; what another instance left is found. */
void jobs_start(struct jobs *jobs);
void jobs_stop(struct jobs *jobs);
/* A job was made: whoever runs them begins with it. */
void jobs_add(struct jobs *jobs, const char *id);
bool jobs_idle(const struct jobs *jobs);
void jobs_close(struct jobs **jobs);

#endif
