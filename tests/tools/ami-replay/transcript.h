/* Recorded AMI connections, made ready to be played.

   A recording NAME.ami holds the bytes that came from Asterisk; NAME.idx one line per read or write
   ("ms < offset length"), NAME.tx the bytes that were sent; NAME.2.ami and so on are the
   connections that followed after a cut; NAME.truth.json says when each was opened.

   Played byte for byte, but for what belongs to the recorded client's own login: the banner, the
   first FullyBooted of each connection, and the answers to its Login, Challenge and Logoff. Of
   connections after a cut the answers to list actions are kept apart: the new client asks for these
   lists itself. */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of bytes that came at one moment. */
struct piece {
	int64_t at_ms; /* since the beginning of its session */
	size_t end;    /* its last byte is before this one */
	bool whole;    /* a message ends here: something else may be said before the next piece */
};

/* The recorded answer to one list action; its own ActionID is written as ACTION_ID_MARK. */
struct recorded_list {
	char *action;
	struct buffer text;
};

#define ACTION_ID_MARK '\x01'

/* What is played without a cut of the connection. */
struct session {
	struct buffer bytes;
	struct piece *pieces;
	size_t count, room;
	struct recorded_list *lists;
	size_t list_count;
	size_t events; /* messages that begin with "Event" */
};

struct transcript {
	struct session *sessions; /* the connection is cut between two of them */
	size_t count;
	bool stamps;     /* every event gets a Timestamp, as with timestampevents=yes */
	bool uncut;      /* one session: later connections go on where the first ended */
	int64_t base_ms; /* Unix time of the beginning, for stamps */
};

/* Appends a recording with its further connections. Returns 0, or -1 after one line on stderr. */
int transcript_load(struct transcript *transcript, const char *path)
	__attribute__((warn_unused_result));
/* True for NAME.2.ami and so on beside a NAME.ami: it is loaded with that one. */
bool transcript_is_later(const char *path);
/* NULL when the session has no such list. */
const struct buffer *session_list(const struct session *session, const char *action);
size_t transcript_events(const struct transcript *transcript);
size_t transcript_bytes(const struct transcript *transcript);
void transcript_free(struct transcript *transcript);

#endif
