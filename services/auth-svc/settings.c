#include "settings.h"

#include "extensions.h"
#include "fields.h"

#include <string.h>

#define FIELD(name) offsetof(struct auth_settings, name)

struct settings settings;

static const struct setting auth_table[] = {
	{"AUTH_EXTENSIONS", SETTING_TEXT, FIELD(extensions), 1, 500, "1000-1999", NULL, false,
	 "extensions that agents may have: ranges, parted by blanks"},
	{"AUTH_FAILURES_FREE", SETTING_NUMBER, FIELD(failures_free), 1, 100, "5", NULL, false,
	 "wrong passwords in a row before the next attempt has to wait"},
	{"AUTH_FAILURES_OF_ALL", SETTING_NUMBER, FIELD(failures_of_all), 10, 100000, "300", NULL,
	 false, "wrong passwords of everyone in a minute; past it each has one free"},
	{"AUTH_HASH_RUNNING", SETTING_NUMBER, FIELD(hash_running), 1, 4, "1", NULL, false,
	 "password hashes at once, 64 MB of memory and a core each"},
	{"AUTH_HASH_WAITING", SETTING_NUMBER, FIELD(hash_waiting), 0, 1000, "32", NULL, false,
	 "password hashes that may wait; a login beyond them gets 429"},
	{"AUTH_KEYS_DIR", SETTING_TEXT, FIELD(keys_dir), 0, 4096, "", NULL, false,
	 "folder of <kid>.pem: private keys (P-256) that sign tokens, the last by name is used; a "
	 "key is made when there is none. Empty: tokens are signed with JWT_SECRET"},
	{"AUTH_KEY_ROTATE_S", SETTING_NUMBER, FIELD(key_rotate_s), 0, 315360000, "2592000", NULL,
	 false,
	 "a new signing key is made when the last one is so old, and keys made here are "
	 "removed when nothing that they signed counts any more; 0: never"},
	{"AUTH_SESSIONS_MAX", SETTING_NUMBER, FIELD(sessions_max), 1, 1000, "10", NULL, false,
	 "logins of one user at a time; one more ends the oldest"},
	{"AUTH_SESSION_IDLE_S", SETTING_NUMBER, FIELD(session_idle_s), 20, 2592000, "7200", NULL,
	 false, "a login ends when its token was not refreshed for so long"},
	{"AUTH_SESSION_TTL_S", SETTING_NUMBER, FIELD(session_ttl_s), 60, 2592000, "43200", NULL,
	 false, "a login ends after this time"},
	{"AUTH_SIP_CODECS", SETTING_TEXT, FIELD(sip_codecs), 1, 200, "ulaw,alaw", NULL, false,
	 "codecs of a new agent's telephone"},
	{"AUTH_SIP_CONTEXT", SETTING_TEXT, FIELD(sip_context), 1, 40, "from-internal", NULL, false,
	 "dialplan context of a new agent's telephone"},
	{"AUTH_SIP_TRANSPORT", SETTING_TEXT, FIELD(sip_transport), 1, 40, "udp", NULL, false,
	 "transport of a new agent's telephone, as pjsip.conf names it"},
	{"AUTH_SUPERUSER_NAME", SETTING_TEXT, FIELD(superuser_name), 0, 64, "", NULL, false,
	 "made once, when there is no user at all"},
	{"AUTH_SUPERUSER_PASSWORD", SETTING_TEXT, FIELD(superuser_password), 12, 256, "", NULL,
	 true, "password of AUTH_SUPERUSER_NAME"},
	{"AUTH_TOKEN_TTL_S", SETTING_NUMBER, FIELD(token_ttl_s), 10, 86400, "900", NULL, false,
	 "an access token ends after this time; never later than its session"},
	{"PBX_NAME", SETTING_TEXT, FIELD(pbx_name), 1, 16, "main", NULL, false,
	 "the PBX where agents have telephones, when PBX_NAMES is empty"},
	{"PBX_NAMES", SETTING_TEXT, FIELD(pbxs), 0, 300, "", NULL, false,
	 "PBXs that are told of new telephones, parted by blanks"},
	{0},
};

const struct settings_group settings_groups[] = {
	{auth_table, &settings.auth},
	{jwt_settings_table, &settings.jwt},
	{redis_settings_table, &settings.redis},
	{sql_settings_table, &settings.sql},
	{NULL, NULL},
};

const char *settings_pbxs(void)
{
	const char *names = settings.auth.pbxs + strspn(settings.auth.pbxs, " ");

	return names[0] != '\0' ? names : settings.auth.pbx_name;
}

void settings_check(struct buffer *faults)
{
	const struct auth_settings *set = &settings.auth;
	const char *pbxs = settings_pbxs();

	if (pbxs[strspn(pbxs, "abcdefghijklmnopqrstuvwxyz0123456789 ")] != '\0')
		buffer_append_str(faults, "PBX_NAME, PBX_NAMES: names have only a-z and 0-9\n");

	if (settings.jwt.secret[0] == '\0' && set->keys_dir[0] == '\0')
		buffer_append_str(faults, "JWT_SECRET, AUTH_KEYS_DIR: one of them must be set\n");
	if (set->session_idle_s <= set->token_ttl_s)
		buffer_append_str(faults, "AUTH_SESSION_IDLE_S: must be more than "
					  "AUTH_TOKEN_TTL_S\n");
	if (!extensions_are_ranges(set->extensions))
		buffer_append_str(faults, "AUTH_EXTENSIONS: ranges such as 1000-1999, parted by "
					  "blanks\n");
	if ((set->superuser_name[0] == '\0') != (set->superuser_password[0] == '\0'))
		buffer_append_str(faults, "AUTH_SUPERUSER_NAME, AUTH_SUPERUSER_PASSWORD: set both "
					  "or none\n");
	if (set->superuser_name[0] != '\0' && !field_is_username(set->superuser_name))
		buffer_append_str(faults, "AUTH_SUPERUSER_NAME: only a-z 0-9 . _ - are allowed, "
					  "and a letter or digit first\n");
}
