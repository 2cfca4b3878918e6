#include "recovery.h"

#include "json.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* "<random>.<offset>" */
static bool parse_pid(const char *pid, struct positions *positions_r)
{
	const char *dot = strchr(pid, '.');

	return dot != NULL && dot - pid == ID_RANDOM_LEN &&
	       strlen(pid) < sizeof(((struct recovery_id *)NULL)->pid) &&
	       strspn(pid, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       strlen(pid) &&
	       offset_parse(dot + 1, positions_r);
}

/* The sid is not secret, the pid is: whoever knows it gets what was missed, with a token of its
   own. */
static void derive_sid(struct recovery_id *id)
{
	unsigned char hash[crypto_generichash_BYTES_MIN];
	char text[sodium_base64_ENCODED_LEN(sizeof(hash),
					    sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)id->pid, strlen(id->pid),
			   NULL, 0);
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	snprintf(id->sid, sizeof(id->sid), "%s", text);
}

bool recovery_read(struct recovery_id *id, cJSON *auth)
{
	const char *pid = json_get_str(auth, "pid"), *offset = json_get_str(auth, "offset");
	struct positions start, at;

	if (pid == NULL || !parse_pid(pid, &start))
		return false;
	strcpy(id->pid, pid);
	derive_sid(id);
	if (offset == NULL || !offset_parse(offset, &at))
		at = start;
	if (!cJSON_HasObjectItem(auth, "since"))
		cJSON_AddItemToObject(auth, "since", positions_to_json(&at));
	return true;
}

void recovery_begin(struct recovery_id *id, const struct entry_id *at)
{
	if (id->pid[0] != '\0')
		return;
	id_random(id->pid);
	id->pid[ID_RANDOM_LEN] = '.';
	offset_format(at, id->pid + ID_RANDOM_LEN + 1);
	derive_sid(id);
}
