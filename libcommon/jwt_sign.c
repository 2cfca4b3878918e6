#include "jws.h"
#include "jwt.h"

#include "json.h"
#include "mem.h"

#include <sodium.h>
#include <stdlib.h>

static void append_base64url(struct buffer *out, const void *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = mem_alloc(size);

	sodium_bin2base64(text, size, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	buffer_append(out, text, size - 1);
	free(text);
}

static void write_header(struct buffer *out, const struct jws_key *key, const char *kid)
{
	struct json_writer json = json_writer_init(out);

	json_begin_object(&json);
	json_field_str(&json, "alg", jws_algorithm_name(jws_key_algorithm(key)));
	json_field_str(&json, "typ", "JWT");
	if (kid != NULL)
		json_field_str(&json, "kid", kid);
	json_end_object(&json);
}

static void write_payload(struct buffer *out, const struct jwt_settings *settings,
			  const struct jwt_claims *claims)
{
	struct json_writer json = json_writer_init(out);

	json_begin_object(&json);
	json_field_str(&json, "iss", settings->issuer);
	json_field_str(&json, "aud", settings->audience);
	json_field_str(&json, "sub", claims->subject);
	json_field_str(&json, "sid", claims->session_id);
	json_field_str(&json, "username", claims->username);
	if (claims->extension[0] != '\0')
		json_field_str(&json, "ext", claims->extension);
	json_field_str(&json, "role", role_name(claims->role));
	json_field_int(&json, "iat", claims->issued_at_s);
	json_field_int(&json, "nbf", claims->issued_at_s);
	json_field_int(&json, "exp", claims->expires_at_s);
	json_end_object(&json);
}

static char *sign(const struct jws_key *key, const char *kid, const struct jwt_settings *settings,
		  const struct jwt_claims *claims)
{
	unsigned char signature[JWS_SIGNATURE_MAX];
	struct buffer header = {0}, payload = {0}, token = {0};
	size_t signature_len;

	write_header(&header, key, kid);
	write_payload(&payload, settings, claims);
	append_base64url(&token, header.data, header.len);
	buffer_append_char(&token, '.');
	append_base64url(&token, payload.data, payload.len);
	buffer_free(&header);
	buffer_free(&payload);
	signature_len = jws_sign(key, token.data, token.len, signature);
	if (signature_len == 0) {
		buffer_free(&token);
		return NULL;
	}
	buffer_append_char(&token, '.');
	append_base64url(&token, signature, signature_len);
	return buffer_take(&token, NULL);
}

char *jwt_sign(const struct jwt_settings *settings, const struct jwt_claims *claims,
	       const char *kid, const struct jws_key *key)
{
	struct jws_key *secret;
	char *token;

	if (kid != NULL && key != NULL)
		return sign(key, kid, settings, claims);
	if (settings->secret[0] == '\0')
		return NULL;
	secret = jws_key_secret(settings->secret);
	token = sign(secret, NULL, settings, claims);
	jws_key_free(&secret);
	return token;
}
