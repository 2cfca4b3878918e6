/* What auth-svc tells of an agent's availability, as JSON. Both append to out. */
#ifndef AUTH_SVC_AGENT_EVENT_H
#define AUTH_SVC_AGENT_EVENT_H

#include "buffer.h"
#include "store_agent.h"

/* agent:status_set, on events:agent. */
void agent_event_status(const struct store_status *status, int64_t at_ms, struct buffer *out);
/* An entry of wishes:agent: call-lifecycle pauses the agent in its queues, or takes the pause back.
 */
void agent_event_wish(const struct store_status *status, int64_t at_ms, struct buffer *out);

#endif
