/* The token parser and the JWKS reader on any bytes. The first byte chooses what the rest is: a
   whole token, a payload that gets a good signature (so that the claims are reached), a header, or
   a JWKS document. Nothing that the fuzzer makes up without the secret may pass. */
#include "buffer.h"
#include "clock.h"
#include "jws.h"
#include "jwt.h"
#include "mem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "a-secret-of-at-least-32-bytes-0123456789"

static char secret[] = SECRET, name[] = "mayday";
static const struct jwt_settings settings = {secret, name, name, 5};

static void append_part(struct buffer *token, const void *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = mem_alloc(size);

	sodium_bin2base64(text, size, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	buffer_append(token, text, size - 1);
	free(text);
}

static void verify_signed(struct jwt_keys *keys, const char *header, size_t header_len,
			  const char *payload, size_t payload_len)
{
	struct jws_key *key = jws_key_secret(SECRET);
	unsigned char signature[JWS_SIGNATURE_MAX];
	struct buffer token = {0};
	struct jwt_claims claims;
	size_t len;

	append_part(&token, header, header_len);
	buffer_append_char(&token, '.');
	append_part(&token, payload, payload_len);
	len = jws_sign(key, token.data, token.len, signature);
	buffer_append_char(&token, '.');
	append_part(&token, signature, len);
	(void)jwt_verify(keys, buffer_str(&token), &claims);
	buffer_free(&token);
	jws_key_free(&key);
}

static void verify_raw(struct jwt_keys *keys, const char *text, size_t len)
{
	char *token = mem_strndup(text, len);
	struct jwt_claims claims;

	if (jwt_verify(keys, token, &claims) == JWT_OK)
		abort();
	free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char header[] = "{\"alg\":\"HS256\"}";
	struct jwt_keys *keys;
	const char *error;
	const char *rest = (const char *)data + 1;

	if (size == 0)
		return 0;
	clock_set(1700000000000);
	keys = jwt_keys_new(&settings);
	if (data[0] % 4 == 0)
		verify_raw(keys, rest, size - 1);
	else if (data[0] % 4 == 1)
		verify_signed(keys, header, sizeof(header) - 1, rest, size - 1);
	else if (data[0] % 4 == 2)
		verify_signed(keys, rest, size - 1, "{}", 2);
	else
		(void)jwt_keys_load_jwks(keys, rest, size - 1, &error);
	jwt_keys_free(&keys);
	return 0;
}
