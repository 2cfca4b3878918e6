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
/* A key signs when its file is so old: by then every replica publishes it, and whoever verifies may
   ask for it. */
#define SETTLE_S 15
/* Clocks differ; an expired token may pass for so long. */
#define GRACE_S 120

/* What is read from the folder. */
struct key_set {
	char kid[KID_MAX + 1]; /* of the key that signs */
	struct jws_key *key;   /* NULL: the secret signs */
	bool settled;          /* key is */
	struct buffer jwks;
	time_t newest; /* file's time of the last key by name */
	size_t count;
};

struct signer {
	struct signer_settings set;
	struct key_set keys;
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

static time_t file_time(const char *folder, const char *name)
{
	char *path = mem_printf("%s/%s", folder, name);
	struct stat status = {0};

	(void)stat(path, &status);
	free(path);
	return status.st_mtime;
}

/* The key takes the place of the one before, unless it is too new: the last by name signs. */
static void choose_key(struct key_set *keys, const char *kid, struct jws_key *key, time_t made)
{
	bool settled = made + SETTLE_S <= clock_wall_ms() / 1000;

	keys->newest = made;
	keys->count++;
	if (keys->key != NULL && !settled && keys->settled) {
		jws_key_free(&key);
		return;
	}
	strcpy(keys->kid, kid);
	jws_key_free(&keys->key);
	keys->key = key;
	keys->settled = settled;
}

static int add_key(struct key_set *keys, struct json_writer *json, const char *folder,
		   const char *file_name)
{
	struct jws_key *key = read_key(folder, file_name);
	char *kid = mem_strndup(file_name, strlen(file_name) - 4);
	int result = -1;

	if (key != NULL && id_is_safe(kid, KID_MAX) && write_jwk(json, kid, key) == 0) {
		choose_key(keys, kid, key, file_time(folder, file_name));
		result = 0;
	} else {
		log_error("a signing key cannot be used", log_str("file", file_name));
		jws_key_free(&key);
	}
	free(kid);
	return result;
}

static int list_keys(const char *folder, struct dirent ***names_r)
{
	return scandir(folder, names_r, is_key_file, alphasort);
}

static void free_names(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static void free_keys(struct key_set *keys)
{
	jws_key_free(&keys->key);
	buffer_free(&keys->jwks);
}

/* keys_r is empty. Returns the number of keys, or -1. */
static int read_folder(const char *folder, struct key_set *keys_r)
{
	struct json_writer json = json_writer_init(&keys_r->jwks);
	struct dirent **names;
	int count = list_keys(folder, &names);
	int result = count <= KEYS_MAX ? count : -1;

	if (count < 0)
		return -1;
	json_begin_object(&json);
	json_key(&json, "keys");
	json_begin_array(&json);
	for (int i = 0; i < count && result >= 0; i++)
		if (add_key(keys_r, &json, folder, names[i]->d_name) < 0)
			result = -1;
	json_end_array(&json);
	json_end_object(&json);
	free_names(names, count);
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

/* ---- rotation ---- */

/* Made here: named by a number. */
static bool is_ours(const char *file_name)
{
	size_t digits = strspn(file_name, "0123456789");

	return digits > 0 && strcmp(file_name + digits, ".pem") == 0;
}

/* Those whose successor signs for so long that no token of theirs can count. */
static void remove_old_keys(const struct signer *signer)
{
	const char *folder = signer->set.folder;
	int64_t now_s = clock_wall_ms() / 1000;
	struct dirent **names;
	int count = list_keys(folder, &names);

	for (int i = 0; i + 1 < count; i++) {
		time_t successor = file_time(folder, names[i + 1]->d_name);
		char *path = mem_printf("%s/%s", folder, names[i]->d_name);

		if (is_ours(names[i]->d_name) &&
		    successor + SETTLE_S + signer->set.token_ttl_s + GRACE_S < now_s &&
		    unlink(path) == 0)
			log_info("a signing key was removed", log_str("file", path));
		free(path);
	}
	if (count >= 0)
		free_names(names, count);
}

static void rotate(const struct signer *signer)
{
	if (clock_wall_ms() / 1000 - signer->keys.newest >= signer->set.rotate_s)
		(void)make_key(signer->set.folder);
	remove_old_keys(signer);
}

bool signer_refresh(struct signer *signer)
{
	struct key_set fresh = {0};
	bool changed;

	if (signer->set.folder[0] == '\0')
		return false;
	if (signer->set.rotate_s > 0)
		rotate(signer);
	if (read_folder(signer->set.folder, &fresh) <= 0) {
		log_error("the signing keys cannot be read: those of before are kept");
		free_keys(&fresh);
		return false;
	}
	changed = strcmp(buffer_str(&fresh.jwks), buffer_str(&signer->keys.jwks)) != 0;
	if (strcmp(fresh.kid, signer->keys.kid) != 0)
		log_info("another key signs", log_str("kid", fresh.kid));
	free_keys(&signer->keys);
	signer->keys = fresh;
	return changed;
}

/* ---- the signer ---- */

static int load(struct signer *signer)
{
	const char *folder = signer->set.folder;
	int count;

	if (folder[0] == '\0') {
		buffer_append_str(&signer->keys.jwks, "{\"keys\":[]}");
		return 0;
	}
	count = read_folder(folder, &signer->keys);
	if (count != 0)
		return count;
	free_keys(&signer->keys);
	return make_key(folder) == 0 ? read_folder(folder, &signer->keys) : -1;
}

struct signer *signer_open(const struct signer_settings *set, const char **error_r)
{
	struct signer *signer = mem_new(struct signer);

	signer->set = *set;
	if (load(signer) < 0) {
		*error_r = "AUTH_KEYS_DIR: its keys cannot be read, or no key can be made there";
		signer_close(&signer);
	}
	return signer;
}

void signer_close(struct signer **_signer)
{
	struct signer *signer = *_signer;

	*_signer = NULL;
	if (signer == NULL)
		return;
	free_keys(&signer->keys);
	free(signer);
}

const char *signer_jwks(const struct signer *signer)
{
	return buffer_str(&signer->keys.jwks);
}

char *signer_sign(const struct signer *signer, const struct jwt_claims *claims)
{
	return jwt_sign(signer->set.jwt, claims, signer->keys.kid, signer->keys.key);
}
