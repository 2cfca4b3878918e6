/* The structures behind model.h; for the model_*.c files alone. */
#ifndef LIFECYCLE_MODEL_TYPES_H
#define LIFECYCLE_MODEL_TYPES_H

#include "entry.h"
#include "model.h"
#include "recording_path.h"
#include "table.h"

#define PARTY_MAX      33 /* an extension or number of 32 */
#define SEGMENTS_MAX   200
#define EXTENSIONS_MAX 32
#define TRANSFERS_MAX  32
#define MERGED_MAX     16
#define TIMELINE_MAX   200
#define RECORDINGS_MAX 16
#define TORN_MAX       16
#define GONE_MAX       8192
#define AGENTS_MAX     20000
#define TOUCHED_MAX    16
#define NOTES_MAX      64
#define TOLD_MAX       64

enum call_state {
	CALL_ORIGINATING,
	CALL_DIALING,
	CALL_RINGING,
	CALL_ESTABLISHED,
	CALL_HELD,
	CALL_TRANSFERRING,
	CALL_PARKED,
	CALL_QUEUED,
	CALL_ENDED,
	CALL_STATES
};

enum call_result {
	RESULT_NONE,
	RESULT_ANSWERED,
	RESULT_BUSY,
	RESULT_DECLINED,
	RESULT_NO_ANSWER,
	RESULT_CANCELLED,
	RESULT_UNREACHABLE,
	RESULT_FAILED,
	RESULT_ABANDONED,
	RESULT_TIMEOUT,
	RESULT_RECONCILED,
	RESULTS
};

enum call_direction {
	DIRECTION_INTERNAL,
	DIRECTION_INBOUND,
	DIRECTION_OUTBOUND,
	DIRECTIONS
};

/* Asterisk's own numbers. */
enum channel_state {
	CHANNEL_DOWN = 0,
	CHANNEL_RING = 4,    /* it calls us */
	CHANNEL_RINGING = 5, /* we call it, and it rings */
	CHANNEL_UP = 6,
};

enum segment_kind {
	SEGMENT_DIAL,
	SEGMENT_QUEUE,
	SEGMENT_TRANSFER,
	SEGMENT_CONSULTATION,
	SEGMENT_PARK,
	SEGMENT_CONFERENCE,
	SEGMENT_APPLICATION,
	SEGMENT_SUPERVISION,
	SEGMENT_KINDS
};

enum segment_phase {
	SEGMENT_TRYING,
	SEGMENT_TALKING, /* both parties hear each other, or b is absent and a is served */
	SEGMENT_APART,   /* they were parted and may come together again */
	SEGMENT_CLOSED,
};

/* Channels are counted references: a segment may outlive its channel by a moment. */
struct channel {
	unsigned refs;
	char *uniqueid, *name;
	struct call *call; /* NULL once it is gone */
	struct channel *call_next;
	struct bridge *bridge;
	struct channel *bridge_next;
	struct channel *other; /* the other half of a Local pair */
	struct channel *real;  /* of a Local half: the phone that was reached through it */
	struct channel *dialer;
	enum channel_state state;
	uint64_t serial; /* order of arrival */
	bool local, external, originated;
	bool hangup_requested;
	bool muted;      /* by us: the others do not hear it */
	bool redirected; /* its dial was cancelled while it lived */
	bool asks;       /* whom it dials now is asked, while its partner hears music */
	bool returns;    /* whom it dials now is the one who sent it away */
	bool parked;
	bool queued;
	bool suspect;           /* a torn Hangup named it */
	bool holds;             /* on our own hold: it is the one that asked */
	bool orphan;            /* on our own hold, and given up: see ORDER_HANG_UP */
	char party[PARTY_MAX];  /* our extension, else the number */
	char number[PARTY_MAX]; /* as the caller id says */
	char exten[PARTY_MAX];  /* what it dialled, or where it was sent */
	char *caller_name;      /* NULL: none */
	char *origin_call;      /* id of the call it was moved from; NULL: never */
	uint32_t linkedid_seen; /* hash of the last one: only a change moves the channel */
	uint32_t snapshot;      /* hash of the id of the last snapshot that named it */
	int64_t created_at, up_at;
	int64_t hold_at;     /* its phone put the other side on hold; 0: no */
	int64_t our_hold_at; /* we did */
	int64_t lone_at;     /* up, and with nobody since; 0: no */
	int cause;           /* 0: not known */
};

struct bridge {
	char *id;
	bool parking, conference;
	struct channel *channels;
};

struct segment {
	struct call *call;
	enum segment_kind kind;
	enum segment_phase phase;
	enum call_result result;
	int cause;
	struct channel *a, *b; /* counted; NULL: not known, or gone */
	char from[PARTY_MAX], to[PARTY_MAX];
	int64_t started_at, ringing_at, answered_at, ended_at;
	int64_t talk_since, talk_ms;
	int64_t apart_at;
	bool connected;              /* the parties were joined at least once */
	bool own_ring;               /* ringing_at is that of the caller's own phone */
	char *queue;                 /* waited in, or rung by; NULL: none */
	int64_t joined_at;           /* the queue; 0: it is no wait */
	int64_t hold_since, hold_ms; /* of talk_ms */
};

struct party {
	char number[PARTY_MAX];
	char extension[PARTY_MAX]; /* "": not one of ours */
	char *name;                /* NULL: none */
};

struct transfer {
	int64_t at;
	const char *kind; /* "blind", "attended", "redirect" */
	char by[PARTY_MAX], transferee[PARTY_MAX], target[PARTY_MAX];
};

struct recording {
	char id[RECORDING_ID_MAX + 1];
	char by[40]; /* user who asked for it */
	enum {
		RECORDING_ASKED, /* by ourselves; Asterisk has not said so yet */
		RECORDING_ON,
		RECORDING_TURNING, /* stopped by ourselves, to go on with another partner */
		RECORDING_PAUSED,
		RECORDING_ENDED,
	} state;
	struct channel *on; /* counted: whose ears and voice it is; NULL: none now */
	char *heard;        /* uniqueid of the one that it speaks with; NULL: nobody yet */
	int64_t started_at, ended_at;
	int64_t due_at; /* of one that turns: when to ask that it goes on; 0: that was asked */
	bool end_saved; /* its end was among the effects that were cleared */
};

struct call {
	char *id;       /* the linkedid, unless a call of that id was told as ended before */
	char *linkedid; /* its key in model->calls */
	uint64_t serial;
	enum call_state state;
	enum call_direction direction;
	enum call_result result;
	struct party from, to;
	int64_t started_at, ringing_at, answered_at, ended_at;
	unsigned talking; /* segments in SEGMENT_TALKING between two parties */
	int64_t talk_since, talk_ms;
	int64_t held_since, hold_ms;
	char held_by[PARTY_MAX];
	int cause;
	bool by_caller; /* the one that asked for the hang-up last */
	char ended_by_party[PARTY_MAX];
	const char *reason; /* static: why it ended, when no channel says so; NULL: by a hangup */
	char *message;      /* Asterisk's words for that; NULL: none */
	char *trunk;        /* endpoint of its first channel to the outside; NULL: none */
	char queue[81];
	char queue_outcome[12];
	int64_t queue_joined_at, queue_wait_ms;
	int queue_position;
	char park_space[16], park_lot[41];
	int64_t parked_at;
	bool transferring, originated, adopted;
	bool begun;     /* it had a channel */
	bool dialled;   /* call:dialing was told */
	bool no_answer; /* the originate timed out at the caller's own phone */
	char *merged_into, *action_id, *requested_by;
	int64_t deadline_at;    /* of an originate without a channel */
	int64_t check_at;       /* when to look for a lone channel; 0: never */
	struct channel *origin; /* counted: its first channel, while that is there */
	struct channel *channels;
	size_t channel_count;
	struct segment **segments;
	size_t segment_count, segments_open;
	char **extensions;
	size_t extension_count;
	struct transfer *transfers;
	size_t transfer_count;
	char **merged_from;
	size_t merged_count;
	struct recording *recordings;
	size_t recording_count;
	bool recording_wanted;  /* until somebody stops it */
	struct buffer timeline; /* JSON objects parted by commas */
	size_t timeline_count;
	bool changed, touched;
	bool saved; /* it was among the effects that were cleared */
	size_t extensions_saved;
	size_t number; /* in the effects, while it is changed */
};

/* As agent_state_names. */
enum agent_state {
	AGENT_OFFLINE,
	AGENT_AVAILABLE,
	AGENT_RINGING,
	AGENT_BUSY,
	AGENT_WRAP_UP,
	AGENT_PAUSED,
	AGENT_STATES
};

struct agent {
	char extension[PARTY_MAX];
	char device_state[16]; /* AMI's word */
	int64_t device_at;     /* since when */
	char *call_id;         /* NULL: none */
	unsigned lines;        /* channels */
	/* As it was told last: a span of the ledger goes on. */
	enum agent_state state;
	int64_t state_at;
	char reason[81]; /* of the pause; or the queue, of the wrap-up */
	bool paused;     /* it was asked for; the members in queues are told of it too */
	char pause_reason[81];
	char serving[81];   /* queue whose caller it has talked with on these lines; "": none */
	int64_t wrap_until; /* 0: no wrap-up */
	char wrap_queue[81];
	int64_t day_at; /* what follows is of the day that began then */
	int64_t calls_today, talk_today_ms, time_today_ms[AGENT_STATES];
	uint32_t told;       /* hash of what was told last */
	bool device_changed; /* to be told on extension:status */
	bool changed;        /* to be kept */
	bool tell;           /* to be looked at after this entry */
	size_t number;       /* in the effects, while it is changed */
};

struct queue_caller {
	char *uniqueid, *call_id;
	char number[PARTY_MAX];
	int64_t joined_at;
	int64_t position;
	uint32_t snapshot;
};

struct queue_member {
	char interface[81], name[81];
	char extension[PARTY_MAX]; /* "": not one of ours */
	char membership[12];       /* static, dynamic, realtime */
	int64_t status;            /* Asterisk's number of a device state */
	bool paused, in_call;
	char reason[81];
	int64_t penalty, calls_taken, last_call_at, login_at, wrap_up_s;
	uint32_t snapshot;
};

/* Of one day. */
struct queue_day {
	int64_t at; /* its begin */
	int64_t offered, answered, answered_in_level, abandoned, abandoned_short, timed_out;
	int64_t wait_ms, wait_max_ms; /* of those that were answered; of all */
};

struct queue {
	char name[81];
	struct queue_caller *callers; /* by position */
	size_t caller_count;
	struct queue_member *members;
	size_t member_count;
	struct queue_day today;
	uint32_t snapshot;
	bool gone;             /* Asterisk does not list it any more */
	bool changed;          /* to be kept */
	bool tell;             /* to be told after this entry */
	const char *change;    /* static: what it was */
	char about[PARTY_MAX]; /* extension of the member that it was about */
	char *call_id;         /* of the caller that it was about; NULL: none */
	size_t number;         /* in the effects, while it is changed */
};

/* A Newchannel that was cut short by bytes from outside: all that is left of it. */
struct torn_channel {
	char name[128]; /* "": free */
	char number[PARTY_MAX];
	enum channel_state state;
	int64_t at;
};

/* Something to be told when the entry is applied and the states are settled. */
struct note {
	enum note_kind {
		NOTE_ORIGINATING,
		NOTE_DIALING,
		NOTE_RINGING,
		NOTE_ESTABLISHED,
		NOTE_HELD,
		NOTE_UNHELD,
		NOTE_TRANSFERRED,
		NOTE_PARKED,
		NOTE_UNPARKED,
		NOTE_QUEUED,
		NOTE_MERGED,
		NOTE_RECORDED,
		NOTE_ENDED,
	} kind;
	struct call *call;
	const struct segment *segment; /* ringing, established */
	size_t transfer;               /* its number */
	int64_t span_ms;               /* held, parked */
	const char *word;              /* static: why it was unparked, what was recorded */
	char party[PARTY_MAX];
};

struct model {
	const struct model_settings *settings;
	struct model_counters counters;
	struct model_effects effects;
	size_t call_cap, event_cap, agent_cap, queue_cap;
	struct table channels, names, bridges, calls, actions, agents, queues;
	uint64_t serial;
	size_t channel_count;
	int64_t as_of, next_check;
	int64_t down_at;    /* 0: connected */
	uint32_t snapshot;  /* hash of the id of the one under way; 0: none */
	bool unsure;        /* connected again, and no snapshot was complete since */
	int64_t unsure_at;  /* since when; 0: never */
	bool queues_listed; /* the snapshot under way names queues */
	bool queues_to_tell;
	size_t wrapping;           /* agents in wrap-up */
	int64_t day_at, day_until; /* of the last day that was asked for */
	size_t suspects;           /* channels that a torn Hangup named */
	struct torn_channel torn[TORN_MAX];
	size_t torn_next;
	char *gone[GONE_MAX]; /* uniqueids of channels that hung up: a list that was made earlier
				 must not bring them back */
	struct table gone_ids;
	size_t gone_next;
	struct table merged;   /* ids that live calls have absorbed: their channels belong there */
	struct table lost;     /* linkedids of calls that were given up while nobody saw them: their
				  channels may be in the next list */
	char *ended[GONE_MAX]; /* ids of calls that ended: each ends once */
	struct table ended_ids;
	size_t ended_next;
	/* Of the entry being applied. */
	struct entry entry;
	int64_t now;
	struct call *touched[TOUCHED_MAX];
	size_t touched_count;
	struct agent *told[TOLD_MAX]; /* changed by this entry */
	size_t told_count;
	struct note notes[NOTES_MAX];
	size_t note_count;
};

#endif
