#include "signer.h"

#include "clock.h"
#include "ids.h"
#include "json.h"
#include "jws.h"
#include "log.h"
#include "mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS_MAX 16
#define PEM_MAX  8192
#define KID_MAX  64

struct signer {
	const struct jwt_settings *settings;
	char kid[KID_MAX + 1]; /* of the key that signs */
	struct jws_key *key;   /* NULL: the secret signs */
	struct buffer jwks;
};

static void write_coordinate(struct json_writer *json, const char *name, const unsigned char *bytes)
{
	char text[sodium_base64_ENCODED_LEN(JWS_COORDINATE_LEN,
					    sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

	sodium_bin2base64(text, sizeof(text), bytes, JWS_COORDINATE_LEN,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	json_field_str(json, name, text);
}

static int write_jwk(struct json_writer *json, const char *kid, const struct jws_key *key)
{
	unsigned char x[JWS_COORDINATE_LEN], y[JWS_COORDINATE_LEN];

	if (jws_key_get_point(key, x, y) < 0)
		return -1;
	json_begin_object(json);
	json_field_str(json, "kty", "EC");
	json_field_str(json, "crv", "P-256");
	json_field_str(json, "use", "sig");
	json_field_str(json, "alg", "ES256");
	json_field_str(json, "kid", kid);
	write_coordinate(json, "x", x);
	write_coordinate(json, "y", y);
	json_end_object(json);
	return 0;
}

/* ---- the folder ---- */

/* NULL when it cannot be read or is no private key on P-256. */
static struct jws_key *read_key(const char *folder, const char *name)
{
	char *path = mem_printf("%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	struct jws_key *key;
	char text[PEM_MAX + 1];

	free(path);
	if (file == NULL)
		return NULL;
	text[fread(text, 1, PEM_MAX, file)] = '\0';
	fclose(file);
	key = jws_key_pem(text);
	sodium_memzero(text, sizeof(text));
	return key;
}

static int is_key_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".pem") == 0;
}

/* The key takes the place of the one before: the last by name signs. */
static int add_key(struct signer *signer, struct json_writer *json, const char *folder,
		   const char *file_name)
{
	struct jws_key *key = read_key(folder, file_name);
	char *kid = mem_strndup(file_name, strlen(file_name) - 4);
	int result = -1;

	if (key != NULL && id_is_safe(kid, KID_MAX) && write_jwk(json, kid, key) == 0) {
		strcpy(signer->kid, kid);
		jws_key_free(&signer->key);
		signer->key = key;
		result = 0;
	} else {
		log_error("a signing key cannot be used", log_str("file", file_name));
		jws_key_free(&key);
	}
	free(kid);
	return result;
}

/* Returns the number of keys, or -1. */
static int read_folder(struct signer *signer, struct json_writer *json, const char *folder)
{
	struct dirent **names;
	int count = scandir(folder, &names, is_key_file, alphasort);
	int result = count <= KEYS_MAX ? count : -1;

	if (count < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		if (result >= 0 && add_key(signer, json, folder, names[i]->d_name) < 0)
			result = -1;
		free(names[i]);
	}
	free(names);
	return result;
}

/* Written under another name first: a crash leaves no half a key. */
static int write_key(const char *path, EVP_PKEY *pair)
{
	char *part = mem_printf("%s.part", path);
	int descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
	int result = -1;

	if (file != NULL) {
		bool ok = PEM_write_PrivateKey(file, pair, NULL, NULL, 0, NULL, NULL) == 1;

		if (fclose(file) == 0 && ok)
			result = rename(part, path);
	}
	free(part);
	return result;
}

static int make_key(const char *folder)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	char *path = mem_printf("%s/%lld.pem", folder, (long long)(clock_wall_ms() / 1000));
	int result = pair != NULL ? write_key(path, pair) : -1;

	EVP_PKEY_free(pair);
	if (result == 0)
		log_info("a signing key was made", log_str("file", path));
	free(path);
	return result;
}

static int load(struct signer *signer, const char *folder, const char **error_r)
{
	struct json_writer json = json_writer_init(&signer->jwks);
	int count = 0;

	json_begin_object(&json);
	json_key(&json, "keys");
	json_begin_array(&json);
	if (folder[0] != '\0') {
		count = read_folder(signer, &json, folder);
		if (count == 0)
			count = make_key(folder) == 0 ? read_folder(signer, &json, folder) : -1;
		*error_r = "AUTH_KEYS_DIR: its keys cannot be read, or no key can be made there";
	}
	json_end_array(&json);
	json_end_object(&json);
	return count < 0 ? -1 : 0;
}

struct signer *signer_open(const char *folder, const struct jwt_settings *settings,
			   const char **error_r)
{
	struct signer *signer = mem_new(struct signer);

	signer->settings = settings;
	if (load(signer, folder, error_r) < 0)
		signer_close(&signer);
	return signer;
}

void signer_close(struct signer **_signer)
{
	struct signer *signer = *_signer;

	*_signer = NULL;
	if (signer == NULL)
		return;
	jws_key_free(&signer->key);
	buffer_free(&signer->jwks);
	free(signer);
}

const char *signer_jwks(const struct signer *signer)
{
	return buffer_str(&signer->jwks);
}

char *signer_sign(const struct signer *signer, const struct jwt_claims *claims)
{
	return jwt_sign(signer->settings, claims, signer->kid, signer->key);
}
