/* Access tokens: compact JWS, HS256 with JWT_SECRET or ES256 with public keys found by kid.

   The header is read first and its algorithm must be the one of the key, then the signature, then
   every claim. Verified tokens are cached by hash until they expire. Source: RFC 7515, 7519, 8725.
   */
#ifndef COMMON_JWT_H
#define COMMON_JWT_H

#include "jwt_settings.h"
#include "permissions.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jwt_keys;
struct jws_key;

struct jwt_claims {
	char subject[40];    /* sub: user id */
	char username[65];   /* username */
	char session_id[40]; /* sid */
	char extension[33];  /* ext, "" for none */
	enum role role;      /* role, by name */
	int64_t issued_at_s, expires_at_s;
};

/* settings must outlive the keys. */
struct jwt_keys *jwt_keys_new(const struct jwt_settings *settings);
void jwt_keys_free(struct jwt_keys **keys);
/* Replaces the ES256 public keys by those of a JWKS document (RFC 7517; kty EC, crv P-256). Returns
   the number of usable keys, or -1 with *error_r (static) when it is not a JWKS; then nothing
   changes. */
int jwt_keys_load_jwks(struct jwt_keys *keys, const char *json, size_t len, const char **error_r);
/* True when a token with this kid could be verified; also for kid NULL with a secret. */
bool jwt_keys_has(const struct jwt_keys *keys, const char *kid);

enum jwt_result {
	JWT_OK,
	JWT_MALFORMED,     /* not three parts of base64url JSON, too long, duplicate members */
	JWT_UNKNOWN_KEY,   /* kid not known: the JWKS may be stale */
	JWT_BAD_ALGORITHM, /* none, or another one than the key's */
	JWT_BAD_SIGNATURE,
	JWT_EXPIRED,
	JWT_BAD_CLAIMS, /* iss, aud, nbf, iat, sub, sid or role missing or wrong */
};

const char *jwt_result_text(enum jwt_result result);
enum jwt_result jwt_verify(struct jwt_keys *keys, const char *token, struct jwt_claims *claims_r);
/* HS256 with the secret; or ES256 when kid and key are not NULL. Returns an owned token, NULL on
 * failure. */
char *jwt_sign(const struct jwt_settings *settings, const struct jwt_claims *claims,
	       const char *kid, const struct jws_key *key);

#endif
