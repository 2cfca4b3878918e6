/* What ami_link.c (sockets, back-off, watchdog) and ami_login.c (from the banner to a link that is
   up) share. For these two files only. */
#ifndef AMI_LINK_INTERNAL_H
#define AMI_LINK_INTERNAL_H

#include "ami_action.h"
#include "ami_link.h"
#include "ami_socket.h"
#include "ids.h"
#include "loop.h"

struct ami_link {
	uv_loop_t *loop;
	struct ami_link_config config;
	struct ami_link_hooks hooks;
	struct ami_socket *socket; /* NULL while waiting */
	struct ami_parser *parser; /* of this connection; NULL until the banner came */
	struct ami_parser *spent;  /* of a connection that was dropped in the middle of a feed */
	bool feeding;
	struct ami_requests *requests;
	struct ami_action action; /* scratch */
	struct timer *watchdog, *retry;

	enum ami_link_state state;
	int64_t since_ms;      /* Unix ms */
	int64_t since_mono_ms; /* the same moment */
	int64_t heard_mono_ms; /* when anything came last */
	int64_t heard_ms;      /* Unix ms */
	unsigned attempt;      /* since the link was up */
	bool was_up;           /* ever */
	uint64_t reconnects;
	int64_t pinged_us; /* when a ping was sent; 0: none is under way */
	int64_t ping_us;
	struct ami_parser_stats parsed; /* of earlier connections */
	char error[160];

	/* ---- the login ---- */
	struct buffer banner;
	size_t login_pending; /* filters and CoreSettings that are not answered */
	bool is_accepted, is_booted;
	bool filters_old; /* this Asterisk does not know MatchCriteria */
	char version[64], systemname[64];

	/* ---- ids ---- */
	char id_prefix[ID_RANDOM_LEN + 1];
	uint64_t id_count;
};

/* ---- ami_link.c ---- */

/* The connection is of no use: close it and try again, slowly when it is not likely to help. */
void ami_link_drop(struct ami_link *link, const char *reason, bool slowly);
void ami_link_set_state(struct ami_link *link, enum ami_link_state state);
/* Like ami_link_send(), in any state that has a socket. Composes link->action. */
int ami_link_transmit(struct ami_link *link, const char *id, const struct buffer *text,
		      ami_answer_fn *fn, void *context) __attribute__((warn_unused_result));
/* Everything that the login wanted is there. */
void ami_link_come_up(struct ami_link *link);
void ami_link_feed(struct ami_link *link, const char *data, size_t len);

/* ---- ami_login.c ---- */

void ami_login_begin(struct ami_link *link);
/* Bytes before the end of the first line. */
void ami_login_banner(struct ami_link *link, const char *data, size_t len);
/* What came before the link is up and answers no request. */
void ami_login_message(struct ami_link *link, const struct ami_message *message);
/* Called from time to time in AMI_LINK_LOGIN. */
void ami_login_tick(struct ami_link *link);

#endif
