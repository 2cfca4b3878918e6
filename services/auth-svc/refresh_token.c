#include "refresh_token.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAC_LEN   16 /* of the 32 bytes: 128 bits, like every other random id */
#define COUNT_MAX 10 /* digits */

static void make_mac(const char *session_id, int64_t count, const char *key, char *out)
{
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	char text[REFRESH_TOKEN_SIZE];

	snprintf(text, sizeof(text), "%s.%" PRId64, session_id, count);
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key, strlen(key));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_bin2base64(out, ID_RANDOM_LEN + 1, mac, MAC_LEN,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void refresh_token_write(const char *session_id, int64_t count, const char *key,
			 char out[REFRESH_TOKEN_SIZE])
{
	char mac[ID_RANDOM_LEN + 1];

	make_mac(session_id, count, key, mac);
	snprintf(out, REFRESH_TOKEN_SIZE, "%s.%" PRId64 ".%s", session_id, count, mac);
}

bool refresh_token_parse(const char *text, struct refresh_token *token_r)
{
	const char *count = strchr(text, '.');
	const char *mac = count != NULL ? strchr(count + 1, '.') : NULL;
	size_t digits = count != NULL ? strspn(count + 1, "0123456789") : 0;

	if (mac == NULL || count - text != ID_RANDOM_LEN || strlen(mac + 1) != ID_RANDOM_LEN ||
	    digits == 0 || digits > COUNT_MAX || count + 1 + digits != mac)
		return false;
	memcpy(token_r->session_id, text, ID_RANDOM_LEN);
	token_r->session_id[ID_RANDOM_LEN] = '\0';
	token_r->count = strtoll(count + 1, NULL, 10);
	strcpy(token_r->mac, mac + 1);
	return id_is_safe(token_r->session_id, ID_RANDOM_LEN);
}

bool refresh_token_is_genuine(const struct refresh_token *token, const char *key)
{
	char mac[ID_RANDOM_LEN + 1];

	make_mac(token->session_id, token->count, key, mac);
	return sodium_memcmp(mac, token->mac, ID_RANDOM_LEN) == 0;
}
