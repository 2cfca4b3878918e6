/* What entries of streams mean for transfers: bytes in, signals out. Pure. */
#ifndef TRANSFER_SVC_DISPATCH_H
#define TRANSFER_SVC_DISPATCH_H

#include "decide.h"
#include "stream_reader.h"

#include <cjson/cJSON.h>

enum news_kind {
	NEWS_NONE,
	NEWS_SIGNAL,    /* for the transfer of this id */
	NEWS_OF_CALL,   /* a signal for the transfer that this call has, if any */
	NEWS_PHONES,    /* a phone began a transfer by itself, or goes on with it */
	NEWS_CHECK,     /* it should be looked at how a phone's own of this call stands */
	NEWS_CHECK_ALL, /* something may have been missed */
};

struct news {
	enum news_kind kind;
	const char *id; /* of the transfer, or of the call */
	struct signal signal;
	/* NEWS_PHONES */
	enum transfer_kind phones;
	enum transfer_state begins;
	bool tells;     /* signal is for it, when it has begun or was under way */
	int64_t ring_s; /* 0: not known */
	const char *pbx, *from, *to, *transferee;
	char entry_id[48];
	cJSON *tree; /* all texts are of it; owned by whoever asked */
};

/* Never fails: what cannot be read is NEWS_NONE. Free news_r->tree with cJSON_Delete(). */
void dispatch(const struct stream_entry *entry, struct news *news_r);

#endif
