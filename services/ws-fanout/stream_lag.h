/* How far the reader of the streams is behind each of them. */
#ifndef WS_FANOUT_STREAM_LAG_H
#define WS_FANOUT_STREAM_LAG_H

struct hub;

/* Every few seconds: asks Redis for what the hub has not had yet. The answers go to its metrics. */
void stream_lag_ask(struct hub *hub);

#endif
