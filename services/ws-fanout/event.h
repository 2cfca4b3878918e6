/* One entry of an events:<topic> stream: what decides who gets it, and the frames that carry it. */
#ifndef WS_FANOUT_EVENT_H
#define WS_FANOUT_EVENT_H

#include "cursor.h"
#include "event_frame.h"

#include <stdint.h>

#define EVENT_ROOMS_MAX 20

struct event {
	uint32_t refs;
	enum topic topic;
	struct entry_id id;
	struct frame *frames[EVENT_FORMATS]; /* owned; but for EVENT_JSON made when needed */
	const char *data;                    /* the envelope, within frames[EVENT_JSON] */
	size_t len;
	const char *type;            /* "call:ringing"; into text */
	const char *revoked_session; /* session:revoked: the session's id; NULL for all others */
	unsigned room_count;
	const char *rooms[EVENT_ROOMS_MAX]; /* see rooms.h; into text */
	char text[];
};

/* data is the envelope as it stands in the stream; it goes into the frame byte for byte. NULL with
 *error_r (static) when it is no envelope. The caller holds one reference. */
struct event *event_new(enum topic topic, struct entry_id id, const char *data, size_t len,
			const char **error_r);
struct event *event_ref(struct event *event);
void event_unref(struct event **event);

#endif
