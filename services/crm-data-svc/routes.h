#ifndef CRM_DATA_SVC_ROUTES_H
#define CRM_DATA_SVC_ROUTES_H

#include "http_server.h"

/* Their context is the struct service. */
extern const struct http_route routes[];

/* handle_records.c */
http_handler_fn handle_record_create, handle_record_get, handle_record_change, handle_record_delete,
	handle_record_restore, handle_record_history;
/* handle_list.c */
http_handler_fn handle_record_list, guard_list;
/* handle_search.c */
http_handler_fn handle_lookup, handle_search;

#endif
