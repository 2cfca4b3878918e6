#include "settings.h"

#include "mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PBX_MAX       64
#define OFFSET(field) SETTING_STRUCT_OFFSET(struct gateway_settings, field)
#define EXCLUDE_USUAL                                                                              \
	"VarSet Newexten CEL Cdr RTCPSent RTCPReceived TestEvent SuccessfulAuth ChallengeSent "    \
	"RequestBadFormat DTMFBegin ChallengeResponseFailed InvalidAccountID InvalidPassword"

static struct gateway_settings values;
static struct redis_settings redis_values;
static struct jwt_settings jwt_values;

static const struct setting table[] = {
	{"PBX_NAME", SETTING_TEXT, OFFSET(pbx_name), 1, 16, "main", NULL, false,
	 "short name of the Asterisk server, [a-z0-9]; not used with AMI_PBXS"},
	{"AMI_HOST", SETTING_TEXT, OFFSET(host), 1, 255, "127.0.0.1", NULL, false,
	 "its host; not used with AMI_PBXS"},
	{"AMI_PORT", SETTING_NUMBER, OFFSET(port), 1, 65535, "5038", NULL, false,
	 "its AMI port; not used with AMI_PBXS"},
	{"AMI_PBXS", SETTING_TEXT, OFFSET(pbxs), 0, 8192, "", NULL, false,
	 "several servers: name=host:port parted by spaces"},
	{"AMI_USERNAME", SETTING_TEXT, OFFSET(username), 0, 255, "mayday", NULL, false,
	 "AMI user; AMI_USERNAME_<NAME> for one of several servers"},
	{"AMI_SECRET", SETTING_TEXT, OFFSET(secret), 0, 255, "", NULL, true,
	 "its secret; AMI_SECRET_<NAME> for one of several servers"},
	{"AMI_PLAIN_LOGIN", SETTING_FLAG, OFFSET(plain_login), 0, 0, "no", NULL, false,
	 "sends the secret as it is when the server offers no MD5 challenge"},
	{"AMI_EVENT_EXCLUDE", SETTING_TEXT, OFFSET(exclude), 0, 4096, EXCLUDE_USUAL, NULL, false,
	 "events that are not wanted, parted by spaces; none: all are wanted"},
	{"AMI_POOL", SETTING_NUMBER, OFFSET(pool), 1, 16, "2", NULL, false,
	 "connections for actions to each server"},
	{"AMI_BUFFER_MB", SETTING_NUMBER, OFFSET(buffer_mb), 1, 4096, "64", NULL, false,
	 "events of each server that may wait for Redis; past it the oldest are dropped"},
	{"AMI_PING_MS", SETTING_NUMBER, OFFSET(ping_ms), 100, 60000, "2000", NULL, false,
	 "a connection that was silent for so long is pinged"},
	{"AMI_TIMEOUT_MS", SETTING_NUMBER, OFFSET(timeout_ms), 100, 60000, "5000", NULL, false,
	 "connecting, the login and each answer must be done in this time"},
	{"AMI_LEASE_MS", SETTING_NUMBER, OFFSET(lease_ms), 500, 60000, "3000", NULL, false,
	 "a stand-by takes over when the gateway that owns a server is silent for so long"},
	{"AMI_SNAPSHOT_S", SETTING_NUMBER, OFFSET(snapshot_s), 0, 86400, "900", NULL, false,
	 "everything is listed again so often, for readers that missed something; 0: only for a "
	 "reason"},
	{0},
};

const struct settings_group gateway_settings_groups[] = {
	{table, &values},
	{redis_settings_table, &redis_values},
	{jwt_settings_table, &jwt_values},
	{NULL, NULL},
};

const struct gateway_settings *gateway_settings(void)
{
	return &values;
}

const struct redis_settings *gateway_redis_settings(void)
{
	return &redis_values;
}

const struct jwt_settings *gateway_jwt_settings(void)
{
	return &jwt_values;
}

/* AMI_SECRET_EAST, else AMI_SECRET. */
static char *own_or_common(const char *name, const char *pbx, const char *common)
{
	char *own = mem_printf("%s_%s", name, pbx);
	char *value;

	for (char *at = own; *at != '\0'; at++)
		*at = (char)toupper((unsigned char)*at);
	value = settings_lookup(own);
	free(own);
	return value != NULL ? value : mem_strdup(common);
}

static bool name_is_good(const char *name, size_t len)
{
	return len >= 1 && len <= 16 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") >= len;
}

static bool port_is_good(const char *port)
{
	char *end;
	long number = strtol(port, &end, 10);

	return end != port && *end == '\0' && number >= 1 && number <= 65535;
}

/* word is name=host:port. Returns 0, or -1 when it is not. */
static int parse_pbx(const char *word, size_t len, struct pbx_config *config_r)
{
	const char *equals = memchr(word, '=', len);
	const char *colon = memrchr(word, ':', len);

	*config_r = (struct pbx_config){0};
	if (equals == NULL || colon == NULL || colon <= equals + 1 ||
	    !name_is_good(word, (size_t)(equals - word)))
		return -1;
	snprintf(config_r->name, sizeof(config_r->name), "%.*s", (int)(equals - word), word);
	config_r->host = mem_strndup(equals + 1, (size_t)(colon - equals) - 1);
	config_r->port = mem_strndup(colon + 1, len - (size_t)(colon + 1 - word));
	return port_is_good(config_r->port) ? 0 : -1;
}

void pbx_config_clear(struct pbx_config *config)
{
	free(config->host);
	free(config->port);
	free(config->username);
	free(config->secret);
	*config = (struct pbx_config){0};
}

static struct pbx_config *one_pbx(size_t *count_r)
{
	struct pbx_config *config = mem_new(struct pbx_config);

	snprintf(config->name, sizeof(config->name), "%s", values.pbx_name);
	config->host = mem_strdup(values.host);
	config->port = mem_printf("%d", (int)values.port);
	config->username = mem_strdup(values.username);
	config->secret = mem_strdup(values.secret);
	*count_r = 1;
	return config;
}

struct pbx_config *gateway_pbxs(size_t *count_r)
{
	struct pbx_config *list;
	const char *word = values.pbxs + strspn(values.pbxs, " ");

	if (*word == '\0')
		return one_pbx(count_r);
	list = mem_array(struct pbx_config, PBX_MAX);
	*count_r = 0;
	while (*word != '\0' && *count_r < PBX_MAX) {
		size_t len = strcspn(word, " ");
		struct pbx_config *config = &list[*count_r];

		if (parse_pbx(word, len, config) < 0) {
			pbx_config_clear(config);
		} else {
			config->username =
				own_or_common("AMI_USERNAME", config->name, values.username);
			config->secret = own_or_common("AMI_SECRET", config->name, values.secret);
			++*count_r;
		}
		word += len;
		word += strspn(word, " ");
	}
	return list;
}

static void check_words(struct buffer *faults)
{
	struct pbx_config config;
	size_t len;

	for (const char *word = values.pbxs + strspn(values.pbxs, " "); *word != '\0';
	     word += strspn(word, " ")) {
		len = strcspn(word, " ");
		if (parse_pbx(word, len, &config) < 0)
			buffer_printf(faults, "AMI_PBXS: '%.*s' is not name=host:port\n", (int)len,
				      word);
		pbx_config_clear(&config);
		word += len;
	}
	if (values.pbxs[0] == '\0' && !name_is_good(values.pbx_name, strlen(values.pbx_name)))
		buffer_append_str(faults, "PBX_NAME: only a-z and 0-9, at most 16\n");
}

static void check_pbx(const struct pbx_config *list, size_t at, struct buffer *faults)
{
	const struct pbx_config *config = &list[at];

	for (size_t i = 0; i < at; i++)
		if (strcmp(list[i].name, config->name) == 0)
			buffer_printf(faults, "AMI_PBXS: %s is there twice\n", config->name);
	if (config->username[0] == '\0')
		buffer_printf(faults, "AMI_USERNAME: must be set for %s\n", config->name);
	if (config->secret[0] == '\0')
		buffer_printf(faults, "AMI_SECRET: must be set for %s\n", config->name);
	if (strpbrk(config->username, "\r\n") != NULL || strpbrk(config->secret, "\r\n") != NULL)
		buffer_printf(faults, "AMI_SECRET: user or secret of %s holds a line end\n",
			      config->name);
}

void gateway_settings_check(struct buffer *faults)
{
	size_t count;
	struct pbx_config *list;

	check_words(faults);
	list = gateway_pbxs(&count);
	for (size_t i = 0; i < count; i++)
		check_pbx(list, i, faults);
	for (size_t i = 0; i < count; i++)
		pbx_config_clear(&list[i]);
	free(list);
}
