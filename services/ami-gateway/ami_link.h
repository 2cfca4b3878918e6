/* One logged-in AMI connection that outlives its sockets: it connects, checks the banner, logs in
   (MD5 challenge; plain only when that is allowed), sets event filters, watches with pings, and
   reconnects with jittered back-off for ever. */
#ifndef AMI_LINK_H
#define AMI_LINK_H

#include "ami_requests.h"
#include "buffer.h"
#include "event_filter.h"

#include <uv.h>

struct ami_link;

struct ami_link_config {
	const char *pbx, *name; /* for logs: "main", "events" */
	const char *host, *port, *username, *secret;
	bool plain_login;
	/* Events that are not wanted; NULL: a connection for actions, with events off. */
	const struct event_filter *filter;
	int64_t ping_ms, timeout_ms;
};

enum ami_link_state {
	AMI_LINK_WAITING, /* for the next attempt */
	AMI_LINK_CONNECTING,
	AMI_LINK_LOGIN, /* banner, login, filters */
	AMI_LINK_UP,
};

struct ami_link_hooks {
	/* Logged in; with events on Asterisk has also booted. */
	void (*on_up)(void *context);
	/* Once per loss of a link that was up, after its requests were lost. reason is borrowed. */
	void (*on_down)(const char *reason, void *context);
	/* Events, and answers that nobody waits for. Only while the link is up. May be NULL. */
	void (*on_message)(const struct ami_message *message, void *context);
	void *context;
};

/* For people and metrics; counts since the link was opened. */
struct ami_link_status {
	enum ami_link_state state;
	int64_t since_ms;      /* of the state, Unix ms */
	int64_t last_bytes_ms; /* when anything came last, Unix ms; 0: never */
	uint64_t reconnects;
	int64_t ping_us; /* last round trip; -1: none yet */
	size_t pending;
	struct ami_parser_stats parsed;
	const char *last_error; /* "" when there was none; valid until the next call */
};

/* What config points to must outlive the link. The first attempt begins at once. */
struct ami_link *ami_link_open(uv_loop_t *loop, const struct ami_link_config *config,
			       const struct ami_link_hooks *hooks);
/* Requests under way get AMI_PART_LOST; on_down is not called. Not from an answer callback. */
void ami_link_close(struct ami_link **link);
bool ami_link_is_up(const struct ami_link *link);
/* A new ActionID that nobody outside can guess. out holds AMI_ID_MAX + 1. */
void ami_link_make_id(struct ami_link *link, char *out);
/* text is a whole action whose ActionID is id. Returns 0; or -1 when the link is not up or cannot
   take it: then fn is not called. */
int ami_link_send(struct ami_link *link, const char *id, const struct buffer *text,
		  ami_answer_fn *fn, void *context) __attribute__((warn_unused_result));
/* Without fields. */
int ami_link_ask(struct ami_link *link, const char *action, ami_answer_fn *fn, void *context)
	__attribute__((warn_unused_result));
/* Drops the connection; the link reconnects. */
void ami_link_reset(struct ami_link *link, const char *reason);
size_t ami_link_pending(const struct ami_link *link);
/* As CoreSettings said when the link came up; "" for links without events. */
const char *ami_link_version(const struct ami_link *link);
const char *ami_link_systemname(const struct ami_link *link);
void ami_link_status(const struct ami_link *link, struct ami_link_status *status_r);
const char *ami_link_state_name(enum ami_link_state state);

#endif
