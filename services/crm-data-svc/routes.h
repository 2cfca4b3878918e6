#ifndef CRM_DATA_SVC_ROUTES_H
#define CRM_DATA_SVC_ROUTES_H

#include "http_server.h"

/* Their context is the struct service. */
extern const struct http_route routes[];

/* handle_records.c */
http_handler_fn handle_record_create, handle_record_get, handle_record_change, handle_record_delete,
	handle_record_restore, handle_record_history;
/* handle_list.c */
http_handler_fn handle_record_list, guard_list, guard_lookup;
/* handle_search.c */
http_handler_fn handle_lookup, handle_search;

/* handle_whatsapp.c */
http_handler_fn handle_whatsapp_verify, handle_whatsapp_webhook, handle_message_send;
/* handle_merge.c */
http_handler_fn handle_merge, handle_merge_undo;
/* handle_privacy.c */
http_handler_fn handle_personal_data, handle_erase, handle_audit;
/* handle_analytics.c */
http_handler_fn handle_analytics;

#endif
