/* What the model_*.c files offer each other. Every function acts at model->now. */
#ifndef LIFECYCLE_MODEL_PARTS_H
#define LIFECYCLE_MODEL_PARTS_H

#include "json.h"
#include "model_types.h"
#include "msg_event.h"

/* Where hold sends both parties: see deploy's dialplan. */
#define HOLD_CONTEXT   "mayday-hold"
#define HOLD_EVENT     "MaydayHold"
#define TRANSFER_EVENT "MaydayTransfer" /* extensions_transfer.conf */

uint32_t model_hash(const char *text);
/* Copies what fits, whole. */
void model_copy(char *out, size_t size, const char *text);
/* model->next_check comes no later than at. */
void model_check_by(struct model *model, int64_t at);
/* Until now; 0 for what a deadline made happen later than the entry that is applied. */
int64_t model_since(const struct model *model, int64_t at);

/* Remembers the last GONE_MAX texts: ring holds them, ids finds them. */
void ring_add(char **ring, size_t *next, struct table *ids, const char *text);

/* Calls that were given up while nobody saw them, until the next list is complete. */
void lost_add(struct model *model, const char *linkedid);
void lost_clear(struct model *model);

/* ---- names (model_names.c) ---- */

extern const char *const call_state_names[CALL_STATES];
extern const char *const call_result_names[RESULTS];
extern const char *const call_direction_names[DIRECTIONS];
extern const char *const segment_kind_names[SEGMENT_KINDS];
/* Q.850 in words. */
const char *cause_text(int cause);
/* Index of name in names, or -1. */
int name_index(const char *const *names, size_t count, const char *name);

/* ---- channels (model_channel.c) ---- */

struct channel *channel_ref(struct channel *channel);
void channel_unref(struct channel **channel);
/* The channel that these two headers of the entry name: by its uniqueid, which must belong to that
   name; by the name alone when the entry was torn before the uniqueid. NULL: none, counted. */
struct channel *channel_of(struct model *model, enum entry_field uniqueid, enum entry_field name);
/* The one of Uniqueid and Channel; takes over state, extension and linkedid from the entry. */
struct channel *channel_current(struct model *model);
struct channel *channel_new(struct model *model, const char *uniqueid, const char *name,
			    struct call *call);
/* It hung up: out of its bridge, call and tables. */
void channel_gone(struct model *model, struct channel *channel);
/* The phone behind a Local half, else the channel itself. */
struct channel *channel_real(struct channel *channel);
/* It hung up, or never comes. */
bool channel_is_gone_id(const struct model *model, const char *uniqueid);
void channel_remember_gone_id(struct model *model, const char *uniqueid);
void channel_set_state(struct model *model, struct channel *channel, int64_t state);
bool channel_name_ignored(const char *name);
/* "trunk" of "PJSIP/trunk-00000010". Owned by the caller. */
char *channel_endpoint(const struct channel *channel);
/* An exten that is a number, not a place in the dialplan. */
bool channel_is_number(const char *exten);

/* ---- bridges (model_bridge.c) ---- */

void bridge_enter(struct model *model, struct channel *channel, const char *id);
void bridge_leave(struct model *model, struct channel *channel);
/* Both hear each other: over bridges and Local pairs. */
bool channels_joined(const struct channel *a, const struct channel *b);
/* Phones that are up and joined with channel, itself included; at most max. */
size_t channel_group(struct channel *channel, struct channel **out, size_t max);

/* ---- segments (model_segment.c) ---- */

/* a and b may be NULL. NULL when the call has too many. */
struct segment *segment_open(struct model *model, struct call *call, enum segment_kind kind,
			     struct channel *a, struct channel *b);
/* Not closed, and b (or the phone behind it) is channel. */
struct segment *segment_to(struct call *call, const struct channel *channel);
/* Trying, from channel to nobody yet. */
struct segment *segment_unassigned(struct call *call, const struct channel *channel);
/* Not closed, between these two, whoever called. */
struct segment *segment_between(struct call *call, const struct channel *x,
				const struct channel *y);
/* The one in which the channel talks now. */
struct segment *segment_talking(const struct channel *channel);
/* Not closed, and channel is one of the two. */
bool segment_has(const struct segment *segment, const struct channel *channel);
void segment_assign(struct model *model, struct segment *segment, struct channel *b);
void segment_ring(struct model *model, struct segment *segment);
void segment_answer(struct model *model, struct segment *segment);
/* a alone is served (application, conference): answered, no talk. */
void segment_serve(struct model *model, struct segment *segment, enum segment_kind kind,
		   int64_t since);
void segment_connect(struct model *model, struct segment *segment);
void segment_part(struct model *model, struct segment *segment);
bool segment_held(const struct segment *segment);
void segment_hold_ends(struct model *model, struct segment *segment);
void segment_close(struct model *model, struct segment *segment, enum call_result result,
		   int cause);
/* The segments of a channel that hung up. */
void segments_channel_gone(struct model *model, struct channel *channel);
/* What an unanswered dial came to. */
enum call_result result_of_cause(int cause);

/* ---- calls (model_call.c) ---- */

struct call *call_new(struct model *model, const char *linkedid, enum call_state state);
/* The live one that Asterisk calls so, or that has absorbed it. */
struct call *call_of_linkedid(const struct model *model, const char *linkedid);
/* False when it was there before, or there is no room. */
bool call_add_merged(struct model *model, struct call *call, const char *id);
void call_free(struct call **call);
/* The state of the call will be looked at when the entry is applied. */
void call_touch(struct model *model, struct call *call);
void call_add_channel(struct model *model, struct call *call, struct channel *channel);
void call_origin_gone(struct call *call, const struct channel *channel);
void call_remove_channel(struct call *call, struct channel *channel);
void call_move_channel(struct model *model, struct channel *channel, struct call *to);
/* Tells that it dials, the first time. */
void call_dials(struct model *model, struct call *call);
void call_set_from(struct model *model, struct call *call, const struct channel *channel);
void call_set_to(struct call *call, const char *number, const struct channel *channel);
void call_add_extension(struct call *call, const char *extension);
bool call_has_extension(const struct call *call, const char *extension);
void call_add_transfer(struct model *model, struct call *call, const char *kind, const char *by,
		       const char *transferee, const char *target);
/* All of it, as JSON, for model_load_call(). */
void call_save(const struct call *call, struct buffer *out);
/* reason: static; NULL for a hangup. */
void call_end(struct model *model, struct call *call, enum call_result result, const char *reason);

/* ---- recordings (model_recording.c) ---- */

/* NULL: none of this id. */
struct recording *recording_find(const struct call *call, const char *id);
void recording_begin(struct model *model, struct call *call, const char *id, const char *uniqueid,
		     const char *by);
void recordings_channel_gone(struct model *model, struct channel *channel);
void recordings_move(struct call *from, const struct channel *channel, struct call *to);
void recordings_settle(struct model *model, struct call *call);
void recordings_end(struct model *model, struct call *call);

/* ---- settling (model_settle.c) ---- */

/* recording_id may be NULL. */
/* To be filled with what the kind needs; strings are owned. */
struct model_order *order_new(struct model *model, enum model_order_kind kind);
struct model_order *order_add(struct model *model, enum model_order_kind kind,
			      const struct channel *channel, const char *recording_id);

/* It is settled again no later than at. */
void call_check_by(struct model *model, struct call *call, int64_t at);
/* Joins and parts segments, notes holds, derives the state; ends a call without channels. */
void call_settle(struct model *model, struct call *call);
void call_set_state(struct model *model, struct call *call, enum call_state state);

/* ---- telling (model_event.c) ---- */

/* topic's owner: number of the call, agent or queue in the effects. */
void event_add(struct model *model, enum model_topic topic, size_t owner,
	       const struct msg_event *event);
struct note *note_add(struct model *model, enum note_kind kind, struct call *call);
void notes_flush(struct model *model);

/* ---- agents (model_agent.c, model_agent_state.c, model_agent_view.c) ---- */

extern const char *const agent_state_names[AGENT_STATES];

struct agent *agent_get(struct model *model, const char *extension);
bool device_is_registered(const char *device_state);
/* To be kept, and looked at at the end of this entry. */
void agent_changed(struct model *model, struct agent *agent);
void agent_channel_added(struct model *model, const struct channel *channel);
void agent_channel_moved(struct model *model, const struct channel *channel);
/* It was there before the restart. */
void agent_line_loaded(struct model *model, const struct channel *channel);
void agent_channel_gone(struct model *model, const struct channel *channel);
/* The parties of the segment came together for the first time; they have talked for so long. */
void agent_connected(struct model *model, const struct segment *segment);
void agent_talked(struct model *model, const struct segment *segment, int64_t ms);
/* Its last line is gone. */
void agent_wrap_up(struct model *model, struct agent *agent);
void agent_as_told(struct model *model, const cJSON *data);
void hangup_as_told(struct model *model, const char *call_id, const cJSON *data);
/* Its sums of the day are of today. */
void agent_day(struct model *model, struct agent *agent);
/* What it was before, at which time; agent and before may be alike. */
void agent_tell(struct model *model, struct agent *agent, const struct agent *before, int64_t at);
void agents_flush(struct model *model);
void agents_tick(struct model *model);
void agents_free(struct model *model);
/* 1001 of "PJSIP/1001"; NULL: not one of ours. */
const char *device_extension(const char *device);
/* Begin of the day that at lies in, in the zone of the settings. */
int64_t model_day(struct model *model, int64_t at);

/* ---- queues (model_queue.c, model_queue_member.c, model_queue_view.c) ---- */

/* Reasons of pauses that are our own. */
#define WRAP_UP_REASON    "wrap_up"
#define LOGGED_OUT_REASON "logged_out"

/* NULL: there are too many. */
struct queue *queue_get(struct model *model, const char *name);
/* change: static. */
void queue_changed(struct model *model, struct queue *queue, const char *change);
void queue_caller_joined(struct model *model, const struct channel *channel, const char *queue,
			 int64_t position);
/* result: answered, abandoned, timeout, ... */
void queue_caller_left(struct model *model, const struct channel *channel, const char *result);
struct queue_caller *queue_caller_add(struct queue *queue, const char *uniqueid,
				      const char *call_id, int64_t position);
struct queue_member *queue_member_add(struct queue *queue, const char *interface);
bool member_is_logged_in(const struct queue_member *member);
/* How long the agent may wrap up after a call of the queue that it served. */
int64_t queue_wrap_up_ms(struct model *model, const struct agent *agent);
/* Every queue that the agent is logged in to has paused it. */
bool queues_paused(struct model *model, const struct agent *agent, const char **reason_r);
/* Asterisk is told to pause it everywhere; to undo what WRAP_UP_REASON has paused. */
void queues_pause_agent(struct model *model, const struct agent *agent, const char *reason);
void queues_unpause_agent(struct model *model, const struct agent *agent);
void queues_of_agent_write(struct model *model, const struct agent *agent,
			   struct json_writer *writer);
void queues_snapshot_end(struct model *model);
void queue_members_snapshot_end(struct model *model, struct queue *queue);
void queues_flush(struct model *model);
void queue_free(struct queue *queue);
void queues_free(struct model *model);

/* ---- the connection (model_on_pbx.c) ---- */

/* In the order in which they began; fn may end the call. */
void model_each_call(struct model *model, void (*fn)(struct model *, struct call *));
void pbx_tick(struct model *model);

/* ---- entries (model_on_*.c) ---- */

typedef void model_entry_fn(struct model *model);

model_entry_fn on_new_channel, on_new_state, on_rename, on_bridge_enter, on_bridge_leave,
	on_bridge_destroy, on_local_bridge, on_dial_begin, on_dial_state, on_dial_end,
	on_originate_response, on_mayday_originate, on_mayday_originate_failed, on_hangup_request,
	on_hangup, on_hold, on_unhold, on_user_event, on_blind_transfer, on_attended_transfer,
	on_parked_call, on_unparked_call, on_parked_call_timeout, on_parked_call_gave_up,
	on_queue_join, on_queue_leave, on_queue_abandon, on_queue_entry, on_queue_params,
	on_queue_member, on_queue_member_changed, on_queue_member_added, on_queue_member_removed,
	on_spy_start, on_device_state, on_mayday_up, on_mayday_down, on_mayday_gap,
	on_snapshot_begin, on_snapshot_end, on_core_show_channel, on_mayday_done,
	on_mix_monitor_mute, on_mix_monitor_stop;

#endif
