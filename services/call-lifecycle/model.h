/* What is known of the calls of one PBX: call -> channels -> bridges, and segments (who spoke, or
   tried to speak, with whom). Pure: entries go in, changed calls and out-events come out; no I/O
   and no clock but the entries' own times.

   Applying the same entries in the same order always gives the same state and events. */
#ifndef LIFECYCLE_MODEL_H
#define LIFECYCLE_MODEL_H

#include "buffer.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;
struct call;
struct agent;
struct queue;

struct model_settings {
	const char *pbx; /* borrowed */
	/* Other PBXs know the same extensions: one is ours once its phone was registered here. */
	bool is_one_of_many;
	/* After this long without a connection the live calls end (reason pbx_down). */
	int64_t pbx_down_ms;
	size_t calls_max;   /* live calls; more are counted and not followed */
	const char *zone;   /* where days begin; NULL: UTC */
	int64_t wrap_up_ms; /* after a queue's call, for members without one of their own */
	int64_t service_level_ms, short_abandon_ms;
};

struct model_counters {
	uint64_t entries, ignored, malformed;
	uint64_t forged;     /* events that contradict the channel they name */
	uint64_t torn;       /* events without identifiers, matched by channel name */
	uint64_t unknown;    /* of channels that are not known */
	uint64_t impossible; /* transitions that cannot be */
	uint64_t overflow;   /* not followed: a bound was reached */
	uint64_t ended;      /* calls */
	uint64_t reconciled; /* of these */
};

enum model_topic {
	MODEL_TOPIC_CALL,
	MODEL_TOPIC_AGENT,
	MODEL_TOPIC_EXTENSION, /* its owner is an agent */
	MODEL_TOPIC_QUEUE,
	MODEL_TOPICS
};

struct model_event {
	enum model_topic topic;
	size_t owner;       /* number of its call, agent or queue in the effects */
	size_t offset, len; /* its envelope, in model_effects.text */
};

/* Something that Asterisk is to be told, once. */
enum model_order_kind {
	ORDER_HANG_UP, /* we put it on hold, and nobody is left to take it back */
	ORDER_PAUSE,   /* a member of a queue */
	ORDER_RECORD,  /* the recording goes on here */
	ORDER_STOP_RECORD,
};

struct model_order {
	enum model_order_kind kind;
	char *channel, *uniqueid, *call_id;
	char *recording_id;   /* of ORDER_RECORD */
	bool append;          /* to the file that there is */
	char *queue, *reason; /* of ORDER_PAUSE; its channel is the member's interface */
	bool paused;
};

/* What was caused since the last model_clear_effects(); borrowed. */
struct model_effects {
	struct call **calls; /* changed, each once */
	size_t call_count;
	struct model_event *events; /* in order */
	size_t event_count;
	struct buffer text;
	struct agent **agents; /* changed, each once */
	size_t agent_count;
	struct queue **queues;
	size_t queue_count;
	struct model_order *orders;
	size_t order_count;
};

/* settings must outlive the model. */
struct model *model_new(const struct model_settings *settings);
void model_free(struct model **model);

/* One entry of events:ami:<pbx>. */
void model_apply(struct model *model, const char *data, size_t len);
/* Something may have happened that no entry told: the view is stale until a snapshot is complete.
 */
void model_doubt(struct model *model);
/* Lets time pass to now (the entries' clock): deadlines fire. */
void model_tick(struct model *model, int64_t now);

const struct model_effects *model_effects(struct model *model);
/* Forgets them; calls that ended are gone afterwards. */
void model_clear_effects(struct model *model);

const struct model_counters *model_counters(const struct model *model);
void model_reset_counters(struct model *model);
size_t model_live_calls(const struct model *model);
size_t model_live_channels(const struct model *model);
/* Time of the last entry; 0 before the first. */
int64_t model_as_of(const struct model *model);
/* The connection is down, or a snapshot is not complete. */
bool model_is_stale(const struct model *model);

/* ---- what is kept of a call: the fields of call:<callId> ---- */

/* value is borrowed for the call. */
typedef void model_field_fn(const char *name, const char *value, size_t len, void *context);

const char *model_call_id(const struct call *call);
bool model_call_ended(const struct call *call);
int64_t model_call_started_at(const struct call *call);
/* It was never among the effects that were cleared. */
bool model_call_is_new(const struct call *call);
/* Extensions that are or were part of it; the first *saved_r of them were there when the effects
   were last cleared. */
size_t model_call_extensions(const struct call *call, const char *const **extensions_r,
			     size_t *saved_r);
/* Every field of the hash, "model" (all that model_load_call() needs) included. */
void model_call_fields(struct model *model, const struct call *call, model_field_fn *fn,
		       void *context);

struct model_recording {
	const char *id, *by, *state; /* borrowed */
	int64_t started_at;          /* 0: Asterisk never began it */
	int64_t ended_at;            /* 0: it goes on */
	bool is_news;                /* that it ended was not among the effects before */
};

/* False: it has no more. */
bool model_call_recording(const struct call *call, size_t index,
			  struct model_recording *recording_r);

/* ---- what is kept of an agent, agent:<extension>, and of a queue, queue:<name> ---- */

const char *model_agent_extension(const struct agent *agent);
const char *model_agent_state(const struct agent *agent);
void model_agent_fields(struct model *model, const struct agent *agent, model_field_fn *fn,
			void *context);
/* All that model_load_agent() needs. */
void model_agent_save(const struct agent *agent, struct buffer *out);
const char *model_queue_name(const struct queue *queue);
/* Asterisk does not list it any more: it is to be forgotten. */
bool model_queue_is_gone(const struct queue *queue);
void model_queue_fields(struct model *model, struct queue *queue, model_field_fn *fn,
			void *context);

/* ---- rebuilding: the model as it was, from what was kept ---- */

/* The "model" field of lifecycle:<pbx>. Owned by the caller. */
char *model_save(const struct model *model);
/* Returns 0 or -1 when the text is not one of model_save(). Calls and agents come after it. */
int model_load(struct model *model, const char *text, size_t len);
int model_load_call(struct model *model, const char *text, size_t len);
void model_load_agent(struct model *model, const char *extension, const char *text, size_t len);
/* One field of the hash. */
void model_load_queue_field(struct model *model, const char *name, const char *field,
			    const char *value);
/* After the last call: joins what refers to each other. */
void model_load_done(struct model *model);

#endif
