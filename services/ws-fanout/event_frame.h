/* An event as the bytes of each protocol, built once for all its readers. */
#ifndef WS_FANOUT_EVENT_FRAME_H
#define WS_FANOUT_EVENT_FRAME_H

#include "cursor.h"
#include "frame.h"

#include <stdbool.h>

enum event_format {
	EVENT_JSON,          /* {"type":"event","cursor":"call:1718-0","event":{envelope}} */
	EVENT_JSON_DEFLATED, /* the same, compressed */
	EVENT_SIO,           /* 42["call:ringing",{envelope},"<offset>"] */
	EVENT_SIO_DEFLATED,
	EVENT_SIO_TOPIC,  /* 42/call,["call:ringing",{envelope},"<offset>"] */
	EVENT_SIO_STATUS, /* 42["extension:status",{...},"<offset>"]: for agent:changed alone */
	EVENT_SSE,        /* id: <offset>, event: call:ringing, data: {envelope} */
	EVENT_FORMATS
};

struct event;

/* The offset in it says where a client stands that has this event: tips. Borrowed. */
struct frame *event_frame(struct event *event, enum event_format format,
			  const struct entry_id *tips);
/* The same for one client alone; the caller holds the reference. */
struct frame *event_frame_alone(const struct event *event, enum event_format format,
				const struct entry_id *at);
/* Whether there is an offset in it, so that it is good only for who stands there. */
bool event_format_has_offset(enum event_format format);
/* All but EVENT_JSON, which stays as long as the event. */
void event_drop_frames(struct event *event);

#endif
