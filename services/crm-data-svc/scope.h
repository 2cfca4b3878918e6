/* Who is asking, and what of the records such a one sees: those of the own teams, those of no team,
   those that it owns or that its extension was part of. Managers of everything see all. */
#ifndef CRM_DATA_SVC_SCOPE_H
#define CRM_DATA_SVC_SCOPE_H

#include "principal.h"

#include <cjson/cJSON.h>

struct scope {
	struct principal who;
	bool all;      /* the teams do not matter */
	bool oversees; /* others, and may give records to them */
};

void scope_init(struct scope *scope, const struct principal *who);
bool scope_sees(const struct scope *scope, const cJSON *doc);
/* Adds the condition to a filter. */
void scope_filter(const struct scope *scope, cJSON *filter);
/* The team that a record made by this one gets; "" for none. out holds 41 bytes. */
void scope_team(const struct scope *scope, char *out);

#endif
