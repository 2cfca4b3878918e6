/* What goes to events:ami:<pbx>: every AMI event as JSON, and the gateway's own Mayday entries,
   numbered and in order. */
#ifndef EVENT_STREAM_H
#define EVENT_STREAM_H

#include "ami_parser.h"
#include "redis_settings.h"

#include <uv.h>

struct event_stream;

struct event_stream_settings {
	const struct redis_settings *redis; /* outlives the stream */
	const char *key;
	size_t buffer_max; /* bytes that may wait for Redis */
	/* Entries were dropped (or, 0, taken by Redis and lost by it); MaydayGap was written. */
	void (*on_gap)(uint64_t dropped, int64_t from_ms, int64_t to_ms, void *context);
	void *context;
};

struct event_stream *event_stream_open(uv_loop_t *loop, const struct event_stream_settings *set);
/* What waits is forgotten. */
void event_stream_close(struct event_stream **stream);
/* While it is held nothing goes to Redis, it only waits: for a gateway that does not know whether
   it still owns the PBX. */
void event_stream_hold(struct event_stream *stream, bool held);
size_t event_stream_backlog(const struct event_stream *stream);
uint64_t event_stream_dropped(const struct event_stream *stream);
/* Entries added since the stream was opened. */
uint64_t event_stream_entries(const struct event_stream *stream);

/* Its time is its own Timestamp, else read_ms. Returns whether any header was repeated. */
bool event_stream_event(struct event_stream *stream, const struct ami_message *event,
			int64_t read_ms);
/* gap_from_ms 0: nothing was missed that is known of. */
void event_stream_up(struct event_stream *stream, const char *version, int64_t gap_from_ms,
		     int64_t gap_to_ms);
void event_stream_down(struct event_stream *stream, const char *reason);
void event_stream_snapshot_begin(struct event_stream *stream, const char *id);
void event_stream_snapshot_end(struct event_stream *stream, const char *id, size_t channels);
/* fields and data are JSON; data may be NULL. */
void event_stream_originate(struct event_stream *stream, const char *call_id, const char *action_id,
			    const char *fields, const char *data);
void event_stream_originate_failed(struct event_stream *stream, const char *call_id,
				   const char *action_id, const char *outcome, const char *message);
/* Asterisk took an action that carried data (JSON). */
void event_stream_done(struct event_stream *stream, const char *call_id, const char *action_id,
		       const char *action, const char *data);

#endif
