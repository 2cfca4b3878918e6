/* Messages from clients: type -> handler. */
#ifndef WS_FANOUT_DISPATCH_H
#define WS_FANOUT_DISPATCH_H

#include <cjson/cJSON.h>
#include <stddef.h>

struct client;

/* text is valid UTF-8 and not NUL-terminated. */
void dispatch_message(struct client *client, const char *text, size_t len);
/* message is an object; borrowed. */
void dispatch(struct client *client, const cJSON *message);

/* The id that answers repeat; NULL when there is none. Borrowed. */
const char *message_id(const cJSON *message);

/* The handlers. message is an object whose type is theirs; borrowed. */
void handle_ack(struct client *client, const cJSON *message);
void handle_auth(struct client *client, const cJSON *message);
void handle_subscribe(struct client *client, const cJSON *message);
void handle_unsubscribe(struct client *client, const cJSON *message);
void handle_ping(struct client *client, const cJSON *message);

/* What client_write_topics() wrote once, as far as the role still goes. */
void subscriptions_restore(struct client *client, const cJSON *topics);

#endif
