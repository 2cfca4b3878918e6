/* One webhook: where its events go, which, and up to where they were delivered. As webhook:<id> in
   Redis, and as REST shows it. */
#ifndef WS_FANOUT_WEBHOOK_H
#define WS_FANOUT_WEBHOOK_H

#include "event.h"
#include "json.h"
#include "positions.h"
#include "type_filter.h"

#define WEBHOOK_URL_MAX    1024
#define WEBHOOK_SECRET_MAX 128
#define WEBHOOK_TEXT_MAX   200
#define WEBHOOK_ROOMS_MAX  64

struct webhook {
	char id[24];
	char url[WEBHOOK_URL_MAX + 1];
	char secret[WEBHOOK_SECRET_MAX + 1];
	char description[WEBHOOK_TEXT_MAX + 1];
	char created_by[65];
	char last_error[WEBHOOK_TEXT_MAX + 1]; /* "" when the last delivery was taken */
	int64_t created_at_ms, last_at_ms;
	int64_t revision; /* changes with every change by REST */
	int64_t delivered, failed, dead;
	bool enabled, replay_dead;
	struct positions at;     /* up to where everything was delivered, or given up */
	struct positions replay; /* to go back to */
	cJSON *filter;           /* {"topics": [...], "extensions", "queues", "types"}; owned */
};

void webhook_clear(struct webhook *webhook);
/* What REST may set: url, description, enabled, secret, and the filter. Fields that are not there
   stay. Returns 0, or -1 with *error_r (static). */
int webhook_change(struct webhook *webhook, const cJSON *body, const char **error_r);
/* The topics of its filter. */
topic_set webhook_topics(const struct webhook *webhook);
/* Whether the event is for it. */
bool webhook_wants(const struct webhook *webhook, const struct event *event);
/* As REST shows it: without the secret unless that is asked for. */
void webhook_write(const struct webhook *webhook, struct json_writer *writer, bool secret);
/* "v1=<hex>": HMAC-SHA256 of "<seconds>.<body>". out holds WEBHOOK_SIGNATURE_MAX. */
#define WEBHOOK_SIGNATURE_MAX 68
void webhook_sign(const char *secret, int64_t seconds, const char *body, size_t len, char *out);

#endif
