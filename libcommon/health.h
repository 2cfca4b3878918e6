/* What a daemon depends on, each by name, for /readyz. */
#ifndef COMMON_HEALTH_H
#define COMMON_HEALTH_H

#include "buffer.h"

#include <stdbool.h>

struct health;
struct health_item;

struct health *health_new(void);
void health_free(struct health **health);
/* name is borrowed. Items begin as not ok, "not connected yet". They live as long as health.
   An optional item is shown, but does not make the daemon unready. */
struct health_item *health_add(struct health *health, const char *name, bool optional);
/* detail is copied; NULL for none. A change of ok starts a new "since" and writes one log line. */
void health_set(struct health_item *item, bool ok, const char *detail);
bool health_item_ok(const struct health_item *item);
/* All items that are not optional are ok. */
bool health_ready(const struct health *health);
/* {"ready": true, "dependencies": {"redis": {"ok": true, "sinceAt": ..., "forMs": ..., "detail"?}}}
 */
void health_write(const struct health *health, struct buffer *out);
/* The same for Prometheus: mayday_ready, and mayday_dependency_up of each by name. */
void health_write_metrics(const struct health *health, struct buffer *out);

#endif
