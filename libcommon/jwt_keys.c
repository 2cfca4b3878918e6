#include "jwt_keys.h"

#include "ids.h"
#include "json.h"
#include "mem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 16

struct named_key {
	char kid[JWT_KID_MAX + 1];
	struct jws_key *key;
};

struct jwt_keys {
	const struct jwt_settings *settings;
	struct jws_key *secret; /* NULL without JWT_SECRET */
	struct named_key *public_keys;
	size_t count;
	struct jwt_cache *cache;
};

struct jwt_keys *jwt_keys_new(const struct jwt_settings *settings)
{
	struct jwt_keys *keys = mem_new(struct jwt_keys);

	keys->settings = settings;
	keys->cache = jwt_cache_new();
	if (settings->secret != NULL && settings->secret[0] != '\0')
		keys->secret = jws_key_secret(settings->secret);
	return keys;
}

static void free_public_keys(struct named_key *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		jws_key_free(&list[i].key);
	free(list);
}

void jwt_keys_free(struct jwt_keys **_keys)
{
	struct jwt_keys *keys = *_keys;

	*_keys = NULL;
	if (keys == NULL)
		return;
	jws_key_free(&keys->secret);
	free_public_keys(keys->public_keys, keys->count);
	jwt_cache_free(&keys->cache);
	free(keys);
}

static bool is_absent_or(const cJSON *jwk, const char *name, const char *wanted)
{
	const char *value = json_get_str(jwk, name);

	return cJSON_GetObjectItemCaseSensitive(jwk, name) == NULL ||
	       (value != NULL && strcmp(value, wanted) == 0);
}

static bool has_text(const cJSON *jwk, const char *name, const char *wanted)
{
	const char *value = json_get_str(jwk, name);

	return value != NULL && strcmp(value, wanted) == 0;
}

static int read_coordinate(const cJSON *jwk, const char *name, unsigned char *out)
{
	const char *text = json_get_str(jwk, name);
	size_t len = 0;

	if (text == NULL ||
	    sodium_base642bin(out, JWS_COORDINATE_LEN, text, strlen(text), NULL, &len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return -1;
	return len == JWS_COORDINATE_LEN ? 0 : -1;
}

/* False for a key that is of no use here: of another type, or without a kid. */
static bool read_jwk(const cJSON *jwk, struct named_key *named_r)
{
	unsigned char x[JWS_COORDINATE_LEN], y[JWS_COORDINATE_LEN];
	const char *kid = json_get_str(jwk, "kid");

	if (kid == NULL || !id_is_safe(kid, JWT_KID_MAX) || !has_text(jwk, "kty", "EC") ||
	    !has_text(jwk, "crv", "P-256") || !is_absent_or(jwk, "use", "sig") ||
	    !is_absent_or(jwk, "alg", "ES256"))
		return false;
	if (read_coordinate(jwk, "x", x) < 0 || read_coordinate(jwk, "y", y) < 0)
		return false;
	named_r->key = jws_key_point(x, y);
	strcpy(named_r->kid, kid);
	return named_r->key != NULL;
}

int jwt_keys_load_jwks(struct jwt_keys *keys, const char *json, size_t len, const char **error_r)
{
	cJSON *document = json_parse(json, len, error_r);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(document, "keys");
	struct named_key *fresh;
	const cJSON *jwk;
	size_t count = 0;

	if (document == NULL)
		return -1;
	if (!cJSON_IsArray(list)) {
		cJSON_Delete(document);
		*error_r = "it has no array of keys";
		return -1;
	}
	fresh = mem_array(struct named_key, KEYS_MAX);
	cJSON_ArrayForEach(jwk, list) if (count < KEYS_MAX && read_jwk(jwk, &fresh[count])) count++;
	cJSON_Delete(document);
	free_public_keys(keys->public_keys, keys->count);
	keys->public_keys = fresh;
	keys->count = count;
	jwt_cache_clear(keys->cache);
	return (int)count;
}

const struct jws_key *jwt_keys_find(const struct jwt_keys *keys, const char *kid)
{
	if (kid == NULL)
		return keys->secret;
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->public_keys[i].kid, kid) == 0)
			return keys->public_keys[i].key;
	return NULL;
}

bool jwt_keys_has(const struct jwt_keys *keys, const char *kid)
{
	return jwt_keys_find(keys, kid) != NULL;
}

struct jwt_cache *jwt_keys_cache(struct jwt_keys *keys)
{
	return keys->cache;
}

const struct jwt_settings *jwt_keys_settings(const struct jwt_keys *keys)
{
	return keys->settings;
}
