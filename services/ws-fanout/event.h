/* One entry of an events:<topic> stream: the frame that carries it, and what decides who gets it.
 */
#ifndef WS_FANOUT_EVENT_H
#define WS_FANOUT_EVENT_H

#include "cursor.h"
#include "frame.h"

#include <stdint.h>

#define EVENT_EXTENSIONS_MAX 16

struct event {
	uint32_t refs;
	enum topic topic;
	struct entry_id id;
	struct frame *frame;         /* owned: one reference */
	const char *revoked_session; /* session:revoked: the session's id; NULL for all others */
	unsigned extension_count;
	const char *extensions[EVENT_EXTENSIONS_MAX]; /* into text, as revoked_session is */
	char text[];
};

/* data is the envelope as it stands in the stream; it goes into the frame byte for byte. NULL with
 *error_r (static) when it is no envelope. The caller holds one reference. */
struct event *event_new(enum topic topic, struct entry_id id, const char *data, size_t len,
			const char **error_r);
struct event *event_ref(struct event *event);
void event_unref(struct event **event);

#endif
