/* What call-lifecycle serves: the table, and the handlers of handle_*.c. Their context is the
   struct service. */
#ifndef LIFECYCLE_ROUTES_H
#define LIFECYCLE_ROUTES_H

#include "http_server.h"

extern const struct http_route routes[];

/* Reads the call, asks whether the caller may touch it, and hands it to the handler (call_view.h).
 */
http_handler_fn guard_call;

http_handler_fn handle_originate, handle_list, handle_get, handle_hang_up, handle_hang_up_channel,
	handle_hold, handle_unhold, handle_mute, handle_unmute, handle_dtmf, handle_park,
	handle_retrieve, handle_supervise, handle_record, handle_stop_recording,
	handle_pause_recording, handle_resume_recording;

struct service;
/* Refuses what is left of digits that are being sent. */
void handle_audio_close(struct service *service);

/* Reads the recording, and asks whether the caller may hear it. */
http_handler_fn guard_recording;

http_handler_fn handle_get_recording, handle_hear_recording;

#endif
