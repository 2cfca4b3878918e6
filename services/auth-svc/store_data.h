/* What components keep in a session: session:data:<sid> (one JSON object, with a version) and
   session:events:<sid> (a stream). Both end with their session. */
#ifndef AUTH_SVC_STORE_DATA_H
#define AUTH_SVC_STORE_DATA_H

#include "store.h"

#define STORE_DATA_MAX   8192 /* bytes of JSON */
#define STORE_EVENT_MAX  2048
#define STORE_EVENTS_MAX 500 /* of one session; older ones go */

/* version 0, data NULL: nothing was written yet. */
typedef void store_data_fn(bool ok, int64_t version, const char *data, void *context);

void store_get_data(struct store *store, const char *session_id, store_data_fn *done,
		    void *context);

enum store_written {
	STORE_WRITTEN,
	STORE_NO_SESSION,
	STORE_OTHER_VERSION, /* it is at version */
	STORE_WRITTEN_UNKNOWN,
};

typedef void store_written_fn(enum store_written written, int64_t version, void *context);

/* If it is at this version (-1: at any). who: whose session; for the event session:changed. */
void store_put_data(struct store *store, const struct principal *who, int64_t version,
		    const char *data, size_t len, store_written_fn *done, void *context);

/* id NULL: not written, see written. */
typedef void store_event_added_fn(enum store_written written, const char *id, void *context);

void store_add_session_event(struct store *store, const char *session_id, const char *event,
			     size_t len, store_event_added_fn *done, void *context);

struct store_session_event {
	const char *id, *text; /* borrowed for the call */
	size_t len;
};

typedef void store_events_fn(bool ok, const struct store_session_event *list, size_t count,
			     void *context);

/* At most count, after the one with this id (NULL: from the oldest). */
void store_get_session_events(struct store *store, const char *session_id, const char *after,
			      size_t count, store_events_fn *done, void *context);

#endif
