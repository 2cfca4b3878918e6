/* One value per key: {"hash": of the request, "status": of its reply, "body": its text}; without a
   status the first request is still under way. It is claimed with SET NX GET in one round trip. */
#include "idempotency.h"

#include "ids.h"
#include "json.h"
#include "log.h"
#include "mem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX    128
#define HASH_BYTES 32
/* How long a request that never replied (its daemon died) keeps its key. */
#define PENDING_S 60
#define KEEP_S    86400

/* Lives from the claim to the reply. */
struct claim {
	struct http_request *request;
	struct redis_link *link; /* borrowed */
	char *key;               /* in Redis; owned */
	char hash[2 * HASH_BYTES + 1];
};

static void free_claim(struct claim *claim)
{
	free(claim->key);
	free(claim);
}

static void hash_request(const struct http_request *request, char out[2 * HASH_BYTES + 1])
{
	unsigned char hash[HASH_BYTES];
	crypto_generichash_state state;
	size_t len;
	const char *body = http_body(request, &len);
	const char *method = http_method(request);
	const char *path = http_path(request);

	crypto_generichash_init(&state, NULL, 0, HASH_BYTES);
	crypto_generichash_update(&state, (const unsigned char *)method, strlen(method) + 1);
	crypto_generichash_update(&state, (const unsigned char *)path, strlen(path) + 1);
	crypto_generichash_update(&state, (const unsigned char *)body, len);
	crypto_generichash_final(&state, hash, HASH_BYTES);
	sodium_bin2hex(out, 2 * HASH_BYTES + 1, hash, HASH_BYTES);
}

static void write_value(const struct claim *claim, unsigned status, const char *body, size_t len,
			struct buffer *out)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_object(&writer);
	json_field_str(&writer, "hash", claim->hash);
	if (status != 0) {
		json_field_int(&writer, "status", status);
		json_key(&writer, "body");
		json_strn(&writer, body, len);
	}
	json_end_object(&writer);
}

/* A reply of 5xx is no result: the next try runs again. The others are what every try gets. */
static void on_reply(struct http_request *request, unsigned status, const char *body, size_t len,
		     void *context)
{
	struct claim *claim = context;
	struct buffer value = {0};
	int result = 0;

	(void)request;
	if (status >= 500) {
		result = redis_link_command(claim->link, NULL, NULL, "DEL %s", claim->key);
	} else if (status != 0) {
		write_value(claim, status, body, len, &value);
		result = redis_link_command(claim->link, NULL, NULL, "SET %s %b EX %d", claim->key,
					    value.data, value.len, KEEP_S);
	}
	if (result < 0)
		log_warn("a reply could not be kept for its Idempotency-Key",
			 log_str("request_id", http_request_id(request)));
	buffer_free(&value);
	free_claim(claim);
}

static void replay(struct http_request *request, const cJSON *stored)
{
	const char *text = json_get_str(stored, "body");
	struct buffer body = {0};

	http_reply_header(request, "Idempotency-Replayed", "true");
	if (text != NULL)
		buffer_append_str(&body, text);
	http_reply_json(request, (unsigned)json_get_int(stored, "status", 500),
			body.len > 0 ? &body : NULL);
	buffer_free(&body);
}

static void compare(struct http_request *request, const struct claim *claim, const cJSON *stored)
{
	const char *hash = json_get_str(stored, "hash");

	if (hash == NULL)
		http_reply_error(request, 503, "unavailable", "The stored reply cannot be read");
	else if (strcmp(hash, claim->hash) != 0)
		http_reply_error(request, 422, "idempotency_key_reused",
				 "This Idempotency-Key was used for another request");
	else if (json_get_int(stored, "status", 0) == 0)
		http_reply_error(request, 409, "idempotency_in_progress",
				 "The first request with this Idempotency-Key is under way");
	else
		replay(request, stored);
}

static void on_claim(const redisReply *reply, void *context)
{
	struct claim *claim = context;
	struct http_request *request = claim->request;
	const char *error;
	cJSON *stored;

	if (reply != NULL && reply->type == REDIS_REPLY_NIL) {
		http_on_reply(request, on_reply, claim);
		http_proceed(request);
		return;
	}
	if (reply != NULL && reply->type == REDIS_REPLY_STRING) {
		stored = json_parse(reply->str, reply->len, &error);
		compare(request, claim, stored);
		cJSON_Delete(stored);
	} else {
		http_reply_error(request, 503, "unavailable", "Redis is not there");
	}
	free_claim(claim);
}

void idempotency_check(struct http_request *request, void *link)
{
	const char *key = http_header(request, "Idempotency-Key");
	const char *user = http_principal(request)->user_id;
	struct buffer value = {0};
	struct claim *claim;

	if (!id_is_safe(key, KEY_MAX)) {
		http_reply_error(request, 400, "bad_request",
				 "Idempotency-Key must be 1 to %d of A-Z a-z 0-9 . _ : -", KEY_MAX);
		return;
	}
	claim = mem_new(struct claim);
	claim->request = request;
	claim->link = link;
	claim->key = mem_printf("cache:idempotency:%s:%s", user[0] != '\0' ? user : "-", key);
	hash_request(request, claim->hash);
	write_value(claim, 0, NULL, 0, &value);
	if (redis_link_command(link, on_claim, claim, "SET %s %b NX GET EX %d", claim->key,
			       value.data, value.len, PENDING_S) < 0) {
		free_claim(claim);
		http_reply_error(request, 503, "unavailable", "Redis is not there");
	}
	buffer_free(&value);
}
