#ifndef CRM_DATA_SVC_ROUTES_H
#define CRM_DATA_SVC_ROUTES_H

#include "http_server.h"

/* Their context is the struct service. */
extern const struct http_route routes[];
/* auth_http(), with the cache asked in the same round trip. */
http_handler_fn routes_authenticate;

/* handle_records.c */
http_handler_fn handle_record_create, handle_record_get, handle_client_get, handle_record_change,
	handle_record_delete, handle_record_restore, handle_record_history;
/* handle_list.c */
http_handler_fn handle_record_list, guard_list, guard_lookup;
/* handle_search.c */
http_handler_fn handle_lookup, handle_search;

/* handle_whatsapp.c */
http_handler_fn handle_whatsapp_verify, handle_whatsapp_webhook, handle_message_send;
/* handle_merge.c */
http_handler_fn handle_merge, handle_merge_undo;
/* handle_duplicates.c */
http_handler_fn handle_duplicates, handle_merge_list;
/* handle_privacy.c */
http_handler_fn handle_personal_data, handle_erase, handle_audit;
/* handle_jobs.c */
http_handler_fn handle_import, handle_export, handle_job_list, handle_job_get, handle_job_cancel;
/* handle_job_files.c */
http_handler_fn handle_job_errors, handle_job_result;
/* handle_analytics.c */
http_handler_fn handle_analytics;

#endif
