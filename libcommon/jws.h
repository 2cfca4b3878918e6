/* Signatures of compact JWS (RFC 7515): HS256 by libsodium, ES256 by OpenSSL. A key knows its own
   algorithm, so that a token cannot choose one. */
#ifndef COMMON_JWS_H
#define COMMON_JWS_H

#include <stdbool.h>
#include <stddef.h>

enum jws_algorithm {
	JWS_HS256,
	JWS_ES256,
};

#define JWS_SIGNATURE_MAX  64
#define JWS_COORDINATE_LEN 32 /* of a point on P-256 */

struct jws_key;

struct jws_key *jws_key_secret(const char *secret);
/* From the public point; NULL when it is not on the curve. */
struct jws_key *jws_key_point(const unsigned char x[JWS_COORDINATE_LEN],
			      const unsigned char y[JWS_COORDINATE_LEN]);
/* A private key on P-256; NULL when pem is anything else. */
struct jws_key *jws_key_pem(const char *pem);
void jws_key_free(struct jws_key **key);

enum jws_algorithm jws_key_algorithm(const struct jws_key *key);
/* The public point of an ES256 key. Returns 0 or -1. */
int jws_key_get_point(const struct jws_key *key, unsigned char x[JWS_COORDINATE_LEN],
		      unsigned char y[JWS_COORDINATE_LEN]) __attribute__((warn_unused_result));
/* Returns the length of the signature, or 0 on failure. */
size_t jws_sign(const struct jws_key *key, const char *input, size_t len,
		unsigned char signature[JWS_SIGNATURE_MAX]);
bool jws_verify(const struct jws_key *key, const char *input, size_t len,
		const unsigned char *signature, size_t signature_len);
/* "HS256", "ES256". */
const char *jws_algorithm_name(enum jws_algorithm algorithm);

#endif
