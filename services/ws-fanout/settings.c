#include "settings.h"

struct fanout_settings fanout_settings;
struct redis_settings fanout_redis_settings;
struct jwt_settings fanout_jwt_settings;

#define AT(field) offsetof(struct fanout_settings, field)

static const struct setting table[] = {
	{"PBX_NAME", SETTING_TEXT, AT(pbx_name), 1, 16, "main", NULL, false,
	 "the PBX whose live calls a snapshot shows; not used with PBX_NAMES"},
	{"PBX_NAMES", SETTING_TEXT, AT(pbxs), 0, 1024, "", NULL, false,
	 "several of them, parted by blanks"},
	{"WEBHOOK_ATTEMPTS", SETTING_NUMBER, AT(webhook_attempts), 1, 100, "8", NULL, false,
	 "tries to deliver an event to a webhook before it becomes a dead letter"},
	{"WEBHOOK_BACKOFF_MS", SETTING_NUMBER, AT(webhook_backoff_ms), 10, 60000, "1000", NULL,
	 false, "wait before the second try, doubled with each one, up to a minute"},
	{"WS_ACK_MS", SETTING_NUMBER, AT(ack_ms), 100, 3600000, "30000", NULL, false,
	 "what a client that acknowledges has not acknowledged comes again after so long"},
	{"WS_BACKLOG_KB", SETTING_NUMBER, AT(backlog_kb), 16, 1048576, "1024", NULL, false,
	 "latest events kept in memory for each topic"},
	{"WS_CONNECTIONS_MAX", SETTING_NUMBER, AT(connections_max), 1, 1000000, "20000", NULL,
	 false, "WebSocket connections at once"},
	{"WS_DEFLATE", SETTING_FLAG, AT(deflate), 0, 0, "yes", NULL, false,
	 "compress messages for clients that ask for it"},
	{"WS_DRAIN_MS", SETTING_NUMBER, AT(drain_ms), 0, 4000, "2500", NULL, false,
	 "when it stops, sockets are closed over so long at most"},
	{"WS_LISTEN", SETTING_LISTEN, AT(listen), 1, 64, "127.0.0.1:8105", NULL, false,
	 "address:port for WebSocket clients"},
	{"WS_MESSAGE_MAX", SETTING_NUMBER, AT(message_max), 1024, 16777216, "65536", NULL, false,
	 "bytes of one message from a client"},
	{"WS_ORIGINS", SETTING_TEXT, AT(origins), 0, 4096, "", NULL, false,
	 "origins of web pages that may connect, beside the own host, parted by blanks; * for any"},
	{"WS_PING_MS", SETTING_NUMBER, AT(ping_ms), 1000, 600000, "25000", NULL, false,
	 "a client that is silent for so long is pinged; after two missed pings it is cut"},
	{"WS_QUEUE_KB", SETTING_NUMBER, AT(queue_kb), 16, 1048576, "1024", NULL, false,
	 "what may wait for one client before it must come back with its cursors"},
	{"WS_REPLAY_MAX", SETTING_NUMBER, AT(replay_max), 0, 1000000, "10000", NULL, false,
	 "stream entries that are read again for one returning client and topic"},
	{"WS_SNAPSHOT_MAX", SETTING_NUMBER, AT(snapshot_max), 1, 100000, "1000", NULL, false,
	 "calls, agents or queues in one snapshot"},
	{"WS_SPREAD_MS", SETTING_NUMBER, AT(spread_ms), 0, 600000, "10000", NULL, false,
	 "clients of a server that stops are asked to come back within so long, each at its time"},
	{0},
};

const struct settings_group fanout_settings_groups[] = {
	{table, &fanout_settings},
	{redis_settings_table, &fanout_redis_settings},
	{jwt_settings_table, &fanout_jwt_settings},
	{0},
};

const char *fanout_pbxs(void)
{
	return fanout_settings.pbxs[0] != '\0' ? fanout_settings.pbxs : fanout_settings.pbx_name;
}
