#include "jwt.h"

#include "clock.h"
#include "ids.h"
#include "json.h"
#include "jwt_keys.h"
#include "mem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX   8192
#define MEMBERS_MAX 32

/* A compact JWS: header.payload.signature, each in base64url. */
struct parts {
	const char *header, *payload, *signature; /* borrowed from the token */
	size_t header_len, payload_len, signature_len;
};

const char *jwt_result_text(enum jwt_result result)
{
	switch (result) {
	case JWT_OK:
		return "ok";
	case JWT_MALFORMED:
		return "not a token";
	case JWT_UNKNOWN_KEY:
		return "signed by an unknown key";
	case JWT_BAD_ALGORITHM:
		return "algorithm not allowed";
	case JWT_BAD_SIGNATURE:
		return "wrong signature";
	case JWT_EXPIRED:
		return "expired";
	case JWT_BAD_CLAIMS:
		return "wrong claims";
	}
	return "unknown";
}

static bool split(const char *token, size_t len, struct parts *parts_r)
{
	const char *first = memchr(token, '.', len);
	const char *second = first != NULL ? strchr(first + 1, '.') : NULL;

	if (second == NULL || strchr(second + 1, '.') != NULL)
		return false;
	*parts_r = (struct parts){
		.header = token,
		.header_len = (size_t)(first - token),
		.payload = first + 1,
		.payload_len = (size_t)(second - first) - 1,
		.signature = second + 1,
		.signature_len = len - (size_t)(second + 1 - token),
	};
	return true;
}

/* RFC 8725, 2.4: a name that is there twice may mean one thing here and another elsewhere. */
static bool has_unique_names(const cJSON *object)
{
	const cJSON *a, *b;
	int members = 0;

	cJSON_ArrayForEach(a, object)
	{
		if (++members > MEMBERS_MAX)
			return false;
		for (b = a->next; b != NULL; b = b->next)
			if (strcmp(a->string, b->string) == 0)
				return false;
	}
	return true;
}

/* The JSON object in one part; NULL when it is not exactly that. The caller deletes it. */
static cJSON *read_part(const char *part, size_t len)
{
	char text[TOKEN_MAX];
	const char *error;
	size_t text_len = 0;
	cJSON *object;

	if (sodium_base642bin((unsigned char *)text, sizeof(text), part, len, NULL, &text_len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return NULL;
	object = json_parse(text, text_len, &error);
	if (object != NULL && (!cJSON_IsObject(object) || !has_unique_names(object))) {
		cJSON_Delete(object);
		object = NULL;
	}
	return object;
}

/* Finds the key that the header names and holds the header's algorithm against the key's own. */
static enum jwt_result choose_key(const struct jwt_keys *keys, const cJSON *header,
				  const struct jws_key **key_r)
{
	const char *algorithm = json_get_str(header, "alg");
	const cJSON *kid = cJSON_GetObjectItemCaseSensitive(header, "kid");

	/* crit names extensions that must be understood (RFC 7515, 4.1.11): none is here. */
	if (algorithm == NULL || cJSON_HasObjectItem(header, "crit") ||
	    (kid != NULL && !cJSON_IsString(kid)))
		return JWT_MALFORMED;
	if (strcmp(algorithm, "HS256") != 0 && strcmp(algorithm, "ES256") != 0)
		return JWT_BAD_ALGORITHM;
	*key_r = jwt_keys_find(keys, cJSON_GetStringValue(kid));
	if (*key_r == NULL)
		return JWT_UNKNOWN_KEY;
	return strcmp(algorithm, jws_algorithm_name(jws_key_algorithm(*key_r))) == 0
		       ? JWT_OK
		       : JWT_BAD_ALGORITHM;
}

static enum jwt_result check_signature(const struct jwt_keys *keys, const struct parts *parts)
{
	unsigned char signature[JWS_SIGNATURE_MAX];
	size_t signature_len = 0;
	const struct jws_key *key = NULL;
	cJSON *header = read_part(parts->header, parts->header_len);
	enum jwt_result result;

	if (header == NULL)
		return JWT_MALFORMED;
	result = choose_key(keys, header, &key);
	cJSON_Delete(header);
	if (result != JWT_OK)
		return result;
	if (sodium_base642bin(signature, sizeof(signature), parts->signature, parts->signature_len,
			      NULL, &signature_len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return JWT_BAD_SIGNATURE;
	return jws_verify(key, parts->header, parts->header_len + 1 + parts->payload_len, signature,
			  signature_len)
		       ? JWT_OK
		       : JWT_BAD_SIGNATURE;
}

static bool is_text(const cJSON *item, const char *wanted)
{
	return cJSON_IsString(item) && strcmp(item->valuestring, wanted) == 0;
}

/* aud is one text or an array of them (RFC 7519, 4.1.3). */
static bool names_audience(const cJSON *audience, const char *wanted)
{
	const cJSON *item;

	if (!cJSON_IsArray(audience))
		return is_text(audience, wanted);
	cJSON_ArrayForEach(item, audience) if (is_text(item, wanted)) return true;
	return false;
}

/* Copies a text claim of at most size - 1 bytes; an absent one is "" where that is allowed. */
static bool copy_text(const cJSON *payload, const char *name, bool optional, char *out, size_t size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(payload, name);

	out[0] = '\0';
	if (item == NULL)
		return optional;
	if (!cJSON_IsString(item) || strlen(item->valuestring) >= size)
		return false;
	strcpy(out, item->valuestring);
	return optional || out[0] != '\0';
}

static bool read_time(const cJSON *payload, const char *name, int64_t *time_s_r)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(payload, name);

	if (!json_is_int(item) || item->valuedouble < 0)
		return false;
	*time_s_r = (int64_t)item->valuedouble;
	return true;
}

static bool read_times(const cJSON *payload, int64_t leeway_s, struct jwt_claims *claims_r)
{
	int64_t latest_s = clock_wall_ms() / 1000 + leeway_s;
	int64_t not_before_s = 0;

	if (cJSON_GetObjectItemCaseSensitive(payload, "nbf") != NULL &&
	    !read_time(payload, "nbf", &not_before_s))
		return false;
	return read_time(payload, "iat", &claims_r->issued_at_s) &&
	       read_time(payload, "exp", &claims_r->expires_at_s) &&
	       claims_r->issued_at_s <= latest_s && not_before_s <= latest_s &&
	       claims_r->expires_at_s > claims_r->issued_at_s;
}

static bool read_claims(const struct jwt_settings *settings, const cJSON *payload,
			struct jwt_claims *claims_r)
{
	if (!is_text(cJSON_GetObjectItemCaseSensitive(payload, "iss"), settings->issuer) ||
	    !names_audience(cJSON_GetObjectItemCaseSensitive(payload, "aud"), settings->audience) ||
	    !read_times(payload, settings->leeway_s, claims_r))
		return false;
	return copy_text(payload, "sub", false, claims_r->subject, sizeof(claims_r->subject)) &&
	       copy_text(payload, "sid", false, claims_r->session_id,
			 sizeof(claims_r->session_id)) &&
	       copy_text(payload, "username", false, claims_r->username,
			 sizeof(claims_r->username)) &&
	       copy_text(payload, "ext", true, claims_r->extension, sizeof(claims_r->extension)) &&
	       role_parse(json_get_str(payload, "role"), &claims_r->role) &&
	       id_is_safe(claims_r->subject, sizeof(claims_r->subject) - 1) &&
	       id_is_safe(claims_r->session_id, sizeof(claims_r->session_id) - 1);
}

static bool is_expired(const struct jwt_keys *keys, const struct jwt_claims *claims)
{
	return clock_wall_ms() / 1000 >= claims->expires_at_s + jwt_keys_settings(keys)->leeway_s;
}

static enum jwt_result verify_parts(const struct jwt_keys *keys, const struct parts *parts,
				    struct jwt_claims *claims_r)
{
	enum jwt_result result = check_signature(keys, parts);
	cJSON *payload;

	if (result != JWT_OK)
		return result;
	payload = read_part(parts->payload, parts->payload_len);
	if (payload == NULL)
		return JWT_MALFORMED;
	if (!read_claims(jwt_keys_settings(keys), payload, claims_r))
		result = JWT_BAD_CLAIMS;
	else if (is_expired(keys, claims_r))
		result = JWT_EXPIRED;
	cJSON_Delete(payload);
	return result;
}

enum jwt_result jwt_verify(struct jwt_keys *keys, const char *token, struct jwt_claims *claims_r)
{
	unsigned char hash[JWT_CACHE_HASH_LEN];
	size_t len = strnlen(token, TOKEN_MAX + 1);
	const struct jwt_claims *known;
	enum jwt_result result;
	struct parts parts;

	*claims_r = (struct jwt_claims){0};
	if (len > TOKEN_MAX || !split(token, len, &parts))
		return JWT_MALFORMED;
	jwt_cache_hash(token, len, hash);
	known = jwt_cache_find(jwt_keys_cache(keys), hash);
	if (known != NULL) {
		*claims_r = *known;
		return is_expired(keys, known) ? JWT_EXPIRED : JWT_OK;
	}
	result = verify_parts(keys, &parts, claims_r);
	if (result == JWT_OK)
		jwt_cache_add(jwt_keys_cache(keys), hash, claims_r);
	return result;
}
