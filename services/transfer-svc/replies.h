/* Answers that several handlers give. */
#ifndef TRANSFER_SVC_REPLIES_H
#define TRANSFER_SVC_REPLIES_H

#include "engine.h"
#include "http_server.h"

/* 202 with the transfer, or what became of it instead. */
void reply_result(struct http_request *request, enum engine_result result,
		  const struct transfer *transfer, const char *other);
/* The same; what was done to a transfer of somebody else leaves an entry in the audit. */
void reply_done(struct redis_link *link, struct http_request *request, const char *action,
		enum engine_result result, const struct transfer *transfer, const char *other);
void reply_unavailable(struct http_request *request);
void reply_transfer(struct http_request *request, unsigned status, const struct transfer *transfer);
/* Whether who asks may see and touch it: its own, that of its teams, or everybody's. */
bool may_touch(const struct principal *who, const struct transfer *transfer);
/* Of which extension who asks wants them: "" for all that it sees; ?extension= narrows it. NULL: a
   reply was sent. */
const char *whose_transfers(struct http_request *request);

#endif
