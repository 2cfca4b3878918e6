#include "clock.h"
#include "json.h"
#include "jws.h"
#include "jwt.h"
#include "mem.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S  1700000000
#define SECRET "a-secret-of-at-least-32-bytes-0123456789"

#define GOOD_CLAIMS                                                                                \
	"\"iss\":\"mayday\",\"aud\":\"mayday\",\"sub\":\"7\",\"sid\":\"s-1\","                     \
	"\"username\":\"ann\",\"role\":\"agent\""
#define GOOD_TIMES "\"iat\":1700000000,\"exp\":1700000900"

struct fixture {
	struct jwt_settings settings;
	struct jwt_keys *keys;
	struct jws_key *secret, *pair;
	char *private_pem, *public_pem;
};

static char secret[] = SECRET, none[] = "", name[] = "mayday";

static char *to_text(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = mem_strndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static void make_pair(struct fixture *fixture)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	BIO *private_bio = BIO_new(BIO_s_mem()), *public_bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey(private_bio, pair, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_PUBKEY(public_bio, pair);
	EVP_PKEY_free(pair);
	fixture->private_pem = to_text(private_bio);
	fixture->public_pem = to_text(public_bio);
	fixture->pair = jws_key_pem(fixture->private_pem);
	assert_non_null(fixture->pair);
}

static char *base64url(const void *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

	return sodium_bin2base64(mem_alloc(size), size, bytes, len,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static char *make_jwks(const struct fixture *fixture, const char *kid, const char *extra)
{
	unsigned char x[JWS_COORDINATE_LEN], y[JWS_COORDINATE_LEN];
	char *x_text, *y_text, *text;

	assert_int_equal(jws_key_get_point(fixture->pair, x, y), 0);
	x_text = base64url(x, sizeof(x));
	y_text = base64url(y, sizeof(y));
	text = mem_printf("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\","
			  "\"x\":\"%s\",\"y\":\"%s\"%s}]}",
			  kid, x_text, y_text, extra);
	free(x_text);
	free(y_text);
	return text;
}

static int load(struct fixture *fixture, const char *kid, const char *extra)
{
	const char *error;
	char *jwks = make_jwks(fixture, kid, extra);
	int count = jwt_keys_load_jwks(fixture->keys, jwks, strlen(jwks), &error);

	free(jwks);
	return count;
}

static int set_up(void **state)
{
	struct fixture *fixture = mem_new(struct fixture);

	clock_set(NOW_S * 1000LL);
	fixture->settings = (struct jwt_settings){secret, name, name, 5};
	fixture->keys = jwt_keys_new(&fixture->settings);
	fixture->secret = jws_key_secret(SECRET);
	make_pair(fixture);
	*state = fixture;
	return load(fixture, "k1", "") == 1 ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	jwt_keys_free(&fixture->keys);
	jws_key_free(&fixture->secret);
	jws_key_free(&fixture->pair);
	free(fixture->private_pem);
	free(fixture->public_pem);
	free(fixture);
	clock_set(-1);
	return 0;
}

/* A token of these very bytes; key NULL leaves the signature empty. */
static char *forge(const struct jws_key *key, const char *header, const char *payload)
{
	unsigned char raw[JWS_SIGNATURE_MAX];
	char *h = base64url(header, strlen(header)), *p = base64url(payload, strlen(payload));
	char *input = mem_printf("%s.%s", h, p);
	char *signature = base64url(raw, key ? jws_sign(key, input, strlen(input), raw) : 0);
	char *token = mem_printf("%s.%s", input, signature);

	free(h);
	free(p);
	free(input);
	free(signature);
	return token;
}

static enum jwt_result verify(struct fixture *fixture, char *token)
{
	struct jwt_claims claims;
	enum jwt_result result = jwt_verify(fixture->keys, token, &claims);

	free(token);
	return result;
}

static enum jwt_result verify_payload(struct fixture *fixture, const char *payload)
{
	return verify(fixture, forge(fixture->secret, "{\"alg\":\"HS256\"}", payload));
}

static struct jwt_claims sample(void)
{
	return (struct jwt_claims){.subject = "7",
				   .username = "ann",
				   .session_id = "s-1",
				   .extension = "1001",
				   .role = ROLE_MANAGER,
				   .issued_at_s = NOW_S,
				   .expires_at_s = NOW_S + 900};
}

static void check_round_trip(struct fixture *fixture, const char *kid, const struct jws_key *key)
{
	struct jwt_claims given = sample(), read;
	char *token = jwt_sign(&fixture->settings, &given, kid, key);

	assert_non_null(token);
	for (int i = 0; i < 2; i++) { /* the second time from the cache */
		assert_int_equal(jwt_verify(fixture->keys, token, &read), JWT_OK);
		assert_string_equal(read.subject, "7");
		assert_string_equal(read.username, "ann");
		assert_string_equal(read.session_id, "s-1");
		assert_string_equal(read.extension, "1001");
		assert_int_equal(read.role, ROLE_MANAGER);
		assert_int_equal(read.expires_at_s, NOW_S + 900);
	}
	clock_set((NOW_S + 904) * 1000LL);
	assert_int_equal(jwt_verify(fixture->keys, token, &read), JWT_OK);
	clock_set((NOW_S + 905) * 1000LL);
	assert_int_equal(jwt_verify(fixture->keys, token, &read), JWT_EXPIRED);
	free(token);
}

static void signs_and_verifies_hs256(void **state)
{
	check_round_trip(*state, NULL, NULL);
}

static void signs_and_verifies_es256(void **state)
{
	struct fixture *fixture = *state;

	check_round_trip(fixture, "k1", fixture->pair);
}

static void refuses_wrong_algorithms(void **state)
{
	struct fixture *fixture = *state;
	const char *payload = "{" GOOD_CLAIMS "," GOOD_TIMES "}";
	struct jws_key *public_as_secret = jws_key_secret(fixture->public_pem);

	assert_int_equal(verify_payload(fixture, payload), JWT_OK);
	assert_int_equal(verify(fixture, forge(NULL, "{\"alg\":\"none\"}", payload)),
			 JWT_BAD_ALGORITHM);
	assert_int_equal(verify(fixture, forge(NULL, "{\"alg\":\"None\",\"kid\":\"k1\"}", payload)),
			 JWT_BAD_ALGORITHM);
	assert_int_equal(verify(fixture, forge(fixture->secret, "{\"alg\":\"hs256\"}", payload)),
			 JWT_BAD_ALGORITHM);
	/* The public key as HMAC secret: what libraries that believe the header accept. */
	assert_int_equal(verify(fixture, forge(public_as_secret,
					       "{\"alg\":\"HS256\",\"kid\":\"k1\"}", payload)),
			 JWT_BAD_ALGORITHM);
	assert_int_equal(verify(fixture, forge(public_as_secret, "{\"alg\":\"HS256\"}", payload)),
			 JWT_BAD_SIGNATURE);
	assert_int_equal(verify(fixture, forge(fixture->pair, "{\"alg\":\"ES256\"}", payload)),
			 JWT_BAD_ALGORITHM);
	assert_int_equal(verify(fixture, forge(fixture->pair, "{\"alg\":\"ES256\",\"kid\":\"k2\"}",
					       payload)),
			 JWT_UNKNOWN_KEY);
	jws_key_free(&public_as_secret);
}

static void refuses_wrong_signatures(void **state)
{
	struct fixture *fixture = *state;
	const char *payload = "{" GOOD_CLAIMS "," GOOD_TIMES "}";
	struct jws_key *other = jws_key_secret("another-secret-of-32-bytes-and-more");
	char *zeros = mem_alloc(87);
	char *token = forge(NULL, "{\"alg\":\"ES256\",\"kid\":\"k1\"}", payload);

	assert_int_equal(verify(fixture, forge(other, "{\"alg\":\"HS256\"}", payload)),
			 JWT_BAD_SIGNATURE);
	assert_int_equal(verify(fixture, forge(NULL, "{\"alg\":\"HS256\"}", payload)),
			 JWT_BAD_SIGNATURE);
	/* r and s of zero: 86 times A. */
	memset(zeros, 'A', 86);
	assert_int_equal(verify(fixture, mem_printf("%s%s", token, zeros)), JWT_BAD_SIGNATURE);
	free(token);
	free(zeros);
	jws_key_free(&other);
}

static void refuses_every_truncation(void **state)
{
	struct fixture *fixture = *state;
	struct jwt_claims claims = sample();
	char *token = jwt_sign(&fixture->settings, &claims, "k1", fixture->pair);

	for (size_t len = strlen(token); len-- > 0;) {
		token[len] = '\0';
		assert_int_not_equal(jwt_verify(fixture->keys, token, &claims), JWT_OK);
	}
	free(token);
}

static void refuses_what_is_no_token(void **state)
{
	struct fixture *fixture = *state;
	const char *payload = "{" GOOD_CLAIMS "," GOOD_TIMES "}";
	struct jwt_claims claims = sample();
	char *good = jwt_sign(&fixture->settings, &claims, NULL, NULL);
	char *large = mem_alloc(20001);

	static const char *const texts[] = {"",
					    ".",
					    "..",
					    "...",
					    "a.b.c",
					    "e30.e30.",
					    "e30=.e30.e30",
					    "\x01.\xff.-",
					    "e30.e30.e30.e30"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(verify(fixture, mem_strdup(texts[i])), JWT_MALFORMED);
	assert_int_equal(verify(fixture, mem_printf("%s.", good)), JWT_MALFORMED);
	assert_int_not_equal(verify(fixture, mem_printf("%s=", good)), JWT_OK);
	assert_int_not_equal(verify(fixture, mem_printf("%s\n", good)), JWT_OK);
	memset(large, 'a', 20000);
	assert_int_equal(verify(fixture, mem_printf("%s%s", good, large)), JWT_MALFORMED);
	assert_int_equal(verify(fixture, forge(fixture->secret,
					       "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", payload)),
			 JWT_MALFORMED);
	assert_int_equal(verify(fixture, forge(fixture->secret,
					       "{\"alg\":\"HS256\",\"crit\":[\"b64\"]}", payload)),
			 JWT_MALFORMED);
	assert_int_equal(
		verify(fixture, forge(fixture->secret, "{\"alg\":\"HS256\",\"kid\":7}", payload)),
		JWT_MALFORMED);
	assert_int_equal(verify(fixture, forge(fixture->secret, "[]", payload)), JWT_MALFORMED);
	free(large);
	free(good);
}

static void refuses_wrong_claims(void **state)
{
	static const struct {
		const char *payload;
		enum jwt_result result;
	} cases[] = {
		{"{" GOOD_CLAIMS "," GOOD_TIMES "}", JWT_OK},
		{"{" GOOD_CLAIMS ",\"ext\":\"1001\"," GOOD_TIMES "}", JWT_OK},
		{"{\"iss\":\"mayday\",\"aud\":[\"x\",\"mayday\"],\"sub\":\"7\",\"sid\":\"s\","
		 "\"username\":\"a\",\"role\":\"agent\"," GOOD_TIMES "}",
		 JWT_OK},
		{"{" GOOD_CLAIMS "," GOOD_TIMES ",\"nbf\":1700000005}", JWT_OK},
		{"{" GOOD_CLAIMS "," GOOD_TIMES ",\"nbf\":1700000006}", JWT_BAD_CLAIMS},
		{"{" GOOD_CLAIMS "," GOOD_TIMES ",\"nbf\":\"1\"}", JWT_BAD_CLAIMS},
		{"{" GOOD_CLAIMS "," GOOD_TIMES ",\"exp\":9999999999}", JWT_MALFORMED},
		{"{" GOOD_CLAIMS ",\"iat\":1700000000}", JWT_BAD_CLAIMS},
		{"{" GOOD_CLAIMS ",\"exp\":1700000900}", JWT_BAD_CLAIMS},
		{"{" GOOD_CLAIMS ",\"iat\":1700000000,\"exp\":1700000900.5}", JWT_BAD_CLAIMS},
		{"{" GOOD_CLAIMS ",\"iat\":1700000000,\"exp\":\"1700000900\"}", JWT_BAD_CLAIMS},
		{"{" GOOD_CLAIMS ",\"iat\":1700000000,\"exp\":1e300}", JWT_BAD_CLAIMS},
		{"{" GOOD_CLAIMS ",\"iat\":1700000006,\"exp\":1700000900}", JWT_BAD_CLAIMS},
		{"{" GOOD_CLAIMS ",\"iat\":1699999000,\"exp\":1699999995}", JWT_EXPIRED},
		{"{\"aud\":\"other\",\"iss\":\"mayday\",\"sub\":\"7\",\"sid\":\"s\","
		 "\"username\":\"a\",\"role\":\"agent\"," GOOD_TIMES "}",
		 JWT_BAD_CLAIMS},
		{"{\"aud\":\"mayday\",\"iss\":\"other\",\"sub\":\"7\",\"sid\":\"s\","
		 "\"username\":\"a\",\"role\":\"agent\"," GOOD_TIMES "}",
		 JWT_BAD_CLAIMS},
		{"{\"aud\":\"mayday\",\"iss\":\"mayday\",\"sub\":7,\"sid\":\"s\","
		 "\"username\":\"a\",\"role\":\"agent\"," GOOD_TIMES "}",
		 JWT_BAD_CLAIMS},
		{"{\"aud\":\"mayday\",\"iss\":\"mayday\",\"sub\":\"7\",\"sid\":\"s t\","
		 "\"username\":\"a\",\"role\":\"agent\"," GOOD_TIMES "}",
		 JWT_BAD_CLAIMS},
		{"{\"aud\":\"mayday\",\"iss\":\"mayday\",\"sub\":\"7\",\"sid\":\"s\","
		 "\"username\":\"a\",\"role\":\"god\"," GOOD_TIMES "}",
		 JWT_BAD_CLAIMS},
		{"{\"Iss\":\"mayday\",\"aud\":\"mayday\",\"sub\":\"7\",\"sid\":\"s\","
		 "\"username\":\"a\",\"role\":\"agent\"," GOOD_TIMES "}",
		 JWT_BAD_CLAIMS},
		{"[]", JWT_MALFORMED},
		{"{}", JWT_BAD_CLAIMS},
		{"", JWT_MALFORMED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (verify_payload(*state, cases[i].payload) != cases[i].result)
			fail_msg("case %zu: %s", i, cases[i].payload);
}

static void takes_only_usable_keys(void **state)
{
	struct fixture *fixture = *state;
	const char *error = NULL;
	static const char not_on_curve[] =
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\","
		"\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		"\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},7,{},"
		"{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"o\"}]}";

	assert_true(jwt_keys_has(fixture->keys, NULL));
	assert_true(jwt_keys_has(fixture->keys, "k1"));
	assert_int_equal(load(fixture, "k2", ",\"use\":\"sig\",\"alg\":\"ES256\""), 1);
	assert_false(jwt_keys_has(fixture->keys, "k1"));
	assert_int_equal(load(fixture, "k3", ",\"use\":\"enc\""), 0);
	assert_int_equal(load(fixture, "k 4", ""), 0);
	assert_int_equal(
		jwt_keys_load_jwks(fixture->keys, not_on_curve, sizeof(not_on_curve) - 1, &error),
		0);
	assert_int_equal(load(fixture, "k5", ""), 1);
	assert_int_equal(jwt_keys_load_jwks(fixture->keys, "{}", 2, &error), -1);
	assert_int_equal(jwt_keys_load_jwks(fixture->keys, "nonsense", 8, &error), -1);
	assert_non_null(error);
	assert_true(jwt_keys_has(fixture->keys, "k5"));
}

static void forgets_tokens_of_removed_keys(void **state)
{
	struct fixture *fixture = *state;
	struct jwt_claims claims = sample();
	char *token = jwt_sign(&fixture->settings, &claims, "k1", fixture->pair);

	assert_int_equal(jwt_verify(fixture->keys, token, &claims), JWT_OK);
	assert_int_equal(load(fixture, "k2", ""), 1);
	assert_int_equal(jwt_verify(fixture->keys, token, &claims), JWT_UNKNOWN_KEY);
	free(token);
}

static void needs_a_secret_for_hs256(void **state)
{
	struct fixture *fixture = *state;
	struct jwt_settings settings = {none, name, name, 5};
	struct jwt_keys *keys = jwt_keys_new(&settings);
	struct jwt_claims claims = sample();
	struct jws_key *empty = jws_key_secret("");
	char *token = forge(empty, "{\"alg\":\"HS256\"}", "{" GOOD_CLAIMS "," GOOD_TIMES "}");

	assert_false(jwt_keys_has(keys, NULL));
	assert_null(jwt_sign(&settings, &claims, NULL, NULL));
	assert_null(jws_key_pem(fixture->public_pem));
	assert_int_equal(jwt_verify(keys, token, &claims), JWT_UNKNOWN_KEY);
	free(token);
	jws_key_free(&empty);
	jwt_keys_free(&keys);
}

static void keeps_many_tokens(void **state)
{
	struct fixture *fixture = *state;
	struct jwt_claims claims = sample(), read;

	for (int round = 0; round < 6000; round++) {
		char *token;

		snprintf(claims.session_id, sizeof(claims.session_id), "s-%d", round);
		token = jwt_sign(&fixture->settings, &claims, NULL, NULL);
		assert_int_equal(jwt_verify(fixture->keys, token, &read), JWT_OK);
		assert_int_equal(jwt_verify(fixture->keys, token, &read), JWT_OK);
		assert_string_equal(read.session_id, claims.session_id);
		free(token);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(signs_and_verifies_hs256),
		TEST(signs_and_verifies_es256),
		TEST(refuses_wrong_algorithms),
		TEST(refuses_wrong_signatures),
		TEST(refuses_every_truncation),
		TEST(refuses_what_is_no_token),
		TEST(refuses_wrong_claims),
		TEST(takes_only_usable_keys),
		TEST(forgets_tokens_of_removed_keys),
		TEST(needs_a_secret_for_hs256),
		TEST(keeps_many_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
