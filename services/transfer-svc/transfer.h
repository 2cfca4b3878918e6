/* One transfer as it is kept in transfer:<id>. */
#ifndef TRANSFER_SVC_TRANSFER_H
#define TRANSFER_SVC_TRANSFER_H

#include "json.h"
#include "machine.h"

#include <hiredis/hiredis.h>
#include <stdint.h>

#define TRANSFER_ID_MAX   32
#define TRANSFER_CALL_MAX 151
#define TRANSFER_PARTY    33
#define TRANSFER_CHANNEL  128

enum transfer_kind {
	KIND_BLIND,
	KIND_EXTERNAL,
	KIND_QUEUE,
	KIND_DIALPLAN,
	KIND_MANAGED,
	KIND_PHONE_BLIND, /* a phone's own, by REFER or keys */
	KIND_PHONE_ATTENDED,
	KIND_PARK, /* into a parking place, by whatever means: whoever takes it from there */
	KINDS
};

struct transfer {
	char id[TRANSFER_ID_MAX];
	int64_t version; /* counts changes; 0: not stored yet */
	enum transfer_state state;
	enum transfer_mode mode;
	enum transfer_kind kind;
	char call_id[TRANSFER_CALL_MAX], pbx[17];
	char by[TRANSFER_PARTY];       /* the extension that transfers */
	char user_id[40];              /* who asked for it; "" for a phone's own */
	char customer[TRANSFER_PARTY]; /* number of who is transferred */
	char target[81];               /* number, queue, or CONTEXT.EXTENSION */
	char customer_channel[TRANSFER_CHANNEL], customer_uniqueid[TRANSFER_CALL_MAX];
	char agent_channel[TRANSFER_CHANNEL], target_channel[TRANSFER_CHANNEL];
	char request_id[65];
	bool outside;       /* the target is a number outside */
	bool fall_back;     /* a target that does not take the customer: back to the agent */
	bool with_customer; /* toggled: the agent speaks with the customer now */
	bool conference;
	int64_t ring_s;                 /* how long the target is rung, or the queue waited in */
	char caller_id[TRANSFER_PARTY]; /* shown outside; "": as it is */
	int64_t priority, position;     /* in a queue; 0: as usual */
	char announcement[41];
	char reason[24]; /* why it did not work: "busy", "no_answer", ... */
	char cause[12];  /* of the target's channel: Asterisk's number */
	int64_t requested_at, ringing_at, answered_at, ended_at, state_at;
	int64_t deadline_at; /* 0 when it is over */
	int64_t actions;     /* how many were sent */
	char applied_id[48]; /* the last entry of events:ami:<pbx> that it knows of */
};

/* name and value are borrowed for the call. */
typedef void transfer_field_fn(const char *name, const char *value, void *context);

/* Every field of the hash. */
void transfer_fields(const struct transfer *transfer, transfer_field_fn *fn, void *context);
/* reply: of HGETALL. False when it is none of ours, or there is none. */
bool transfer_read(struct transfer *transfer, const redisReply *reply);
/* What people see of it: the answer of REST. */
void transfer_write(const struct transfer *transfer, struct json_writer *json);
/* The envelope of an event of this type. */
void transfer_event(const struct transfer *transfer, const char *type, int64_t at,
		    struct buffer *out);

const char *kind_name(enum transfer_kind kind);
bool kind_parse(const char *name, enum transfer_kind *kind_r);
bool kind_is_phones(enum transfer_kind kind);

#endif
