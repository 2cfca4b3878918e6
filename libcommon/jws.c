#include "jws.h"

#include "mem.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct jws_key {
	enum jws_algorithm algorithm;
	char *secret;   /* HS256 */
	EVP_PKEY *pair; /* ES256; may hold the public half only */
};

struct jws_key *jws_key_secret(const char *secret)
{
	struct jws_key *key = mem_new(struct jws_key);

	key->algorithm = JWS_HS256;
	key->secret = mem_strdup(secret);
	return key;
}

static struct jws_key *wrap_pair(EVP_PKEY *pair)
{
	struct jws_key *key;

	if (pair == NULL)
		return NULL;
	key = mem_new(struct jws_key);
	key->algorithm = JWS_ES256;
	key->pair = pair;
	return key;
}

struct jws_key *jws_key_point(const unsigned char x[JWS_COORDINATE_LEN],
			      const unsigned char y[JWS_COORDINATE_LEN])
{
	unsigned char point[1 + 2 * JWS_COORDINATE_LEN] = {POINT_CONVERSION_UNCOMPRESSED};
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pair = NULL;

	memcpy(point + 1, x, JWS_COORDINATE_LEN);
	memcpy(point + 1 + JWS_COORDINATE_LEN, y, JWS_COORDINATE_LEN);
	if (context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &pair, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		pair = NULL;
	EVP_PKEY_CTX_free(context);
	return wrap_pair(pair);
}

static bool is_p256(EVP_PKEY *pair)
{
	char group[32];

	return EVP_PKEY_get_base_id(pair) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(pair, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

struct jws_key *jws_key_pem(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	char no_passphrase[] = ""; /* without one OpenSSL would ask on the terminal */
	EVP_PKEY *pair;

	if (bio == NULL)
		return NULL;
	pair = PEM_read_bio_PrivateKey(bio, NULL, NULL, no_passphrase);
	BIO_free(bio);
	if (pair != NULL && !is_p256(pair)) {
		EVP_PKEY_free(pair);
		pair = NULL;
	}
	return wrap_pair(pair);
}

void jws_key_free(struct jws_key **_key)
{
	struct jws_key *key = *_key;

	*_key = NULL;
	if (key == NULL)
		return;
	if (key->secret != NULL)
		sodium_memzero(key->secret, strlen(key->secret));
	free(key->secret);
	EVP_PKEY_free(key->pair);
	free(key);
}

enum jws_algorithm jws_key_algorithm(const struct jws_key *key)
{
	return key->algorithm;
}

static int get_coordinate(const struct jws_key *key, const char *name, unsigned char *out)
{
	BIGNUM *number = NULL;
	int len = -1;

	if (EVP_PKEY_get_bn_param(key->pair, name, &number) == 1)
		len = BN_bn2binpad(number, out, JWS_COORDINATE_LEN);
	BN_free(number);
	return len == JWS_COORDINATE_LEN ? 0 : -1;
}

int jws_key_get_point(const struct jws_key *key, unsigned char x[JWS_COORDINATE_LEN],
		      unsigned char y[JWS_COORDINATE_LEN])
{
	if (key->algorithm != JWS_ES256 || get_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, x) < 0)
		return -1;
	return get_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, y);
}

static void mac(const struct jws_key *key, const char *input, size_t len, unsigned char *out)
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key->secret,
				    strlen(key->secret));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)input, len);
	crypto_auth_hmacsha256_final(&state, out);
}

/* OpenSSL writes ECDSA signatures as DER, JWS as two numbers of 32 bytes (RFC 7518, 3.4). */
static size_t der_to_raw(const unsigned char *der, size_t der_len, unsigned char *raw)
{
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
	bool ok = pair != NULL &&
		  BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, JWS_COORDINATE_LEN) > 0 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + JWS_COORDINATE_LEN,
			       JWS_COORDINATE_LEN) > 0;

	ECDSA_SIG_free(pair);
	return ok ? JWS_SIGNATURE_MAX : 0;
}

/* Returns an OPENSSL_malloc'ed DER signature, NULL on failure. */
static unsigned char *raw_to_der(const unsigned char *raw, int *len_r)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, JWS_COORDINATE_LEN, NULL);
	BIGNUM *s = BN_bin2bn(raw + JWS_COORDINATE_LEN, JWS_COORDINATE_LEN, NULL);
	unsigned char *der = NULL;

	if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else {
		*len_r = i2d_ECDSA_SIG(pair, &der);
	}
	ECDSA_SIG_free(pair);
	return der;
}

static size_t sign_es256(const struct jws_key *key, const char *input, size_t len,
			 unsigned char *raw)
{
	unsigned char der[80]; /* two numbers of 33 bytes and 6 bytes of framing at most */
	size_t der_len = sizeof(der);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context != NULL &&
		  EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pair) == 1 &&
		  EVP_DigestSign(context, der, &der_len, (const unsigned char *)input, len) == 1;

	EVP_MD_CTX_free(context);
	return ok ? der_to_raw(der, der_len, raw) : 0;
}

static bool verify_es256(const struct jws_key *key, const char *input, size_t len,
			 const unsigned char *raw)
{
	int der_len = 0;
	unsigned char *der = raw_to_der(raw, &der_len);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = der != NULL && der_len > 0 && context != NULL &&
		  EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->pair) == 1 &&
		  EVP_DigestVerify(context, der, (size_t)der_len, (const unsigned char *)input,
				   len) == 1;

	EVP_MD_CTX_free(context);
	OPENSSL_free(der);
	return ok;
}

size_t jws_sign(const struct jws_key *key, const char *input, size_t len,
		unsigned char signature[JWS_SIGNATURE_MAX])
{
	if (key->algorithm == JWS_ES256)
		return sign_es256(key, input, len, signature);
	mac(key, input, len, signature);
	return crypto_auth_hmacsha256_BYTES;
}

bool jws_verify(const struct jws_key *key, const char *input, size_t len,
		const unsigned char *signature, size_t signature_len)
{
	unsigned char expected[crypto_auth_hmacsha256_BYTES];

	if (key->algorithm == JWS_ES256)
		return signature_len == JWS_SIGNATURE_MAX &&
		       verify_es256(key, input, len, signature);
	if (signature_len != sizeof(expected))
		return false;
	mac(key, input, len, expected);
	return sodium_memcmp(expected, signature, sizeof(expected)) == 0;
}

const char *jws_algorithm_name(enum jws_algorithm algorithm)
{
	return algorithm == JWS_ES256 ? "ES256" : "HS256";
}
