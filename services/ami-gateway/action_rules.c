#include "action_rules.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Words with a blank on either side. */
static const char allowed_actions[] =
	" AbsoluteTimeout Atxfer BlindTransfer Bridge BridgeDestroy BridgeInfo BridgeKick "
	"BridgeList"
	" CancelAtxfer Command ConfbridgeKick ConfbridgeList ConfbridgeListRooms ConfbridgeMute"
	" ConfbridgeUnmute CoreSettings CoreShowChannelMap CoreShowChannels CoreStatus"
	" DeviceStateList ExtensionState ExtensionStateList Getvar Hangup LocalOptimizeAway"
	" MixMonitor MixMonitorMute MuteAudio Originate PJSIPHangup PJSIPQualify PJSIPShowAors"
	" PJSIPShowContacts PJSIPShowEndpoint PJSIPShowEndpoints PJSIPShowRegistrationsOutbound"
	" Park ParkedCalls Parkinglots Ping PlayDTMF PresenceState PresenceStateList QueueAdd"
	" QueueMemberRingInUse QueuePause QueuePenalty QueueReload QueueRemove QueueReset QueueRule"
	" QueueStatus QueueSummary Redirect SendText Setvar Status StopMixMonitor UserEvent ";

/* What Originate may run without going through the dialplan. */
static const char allowed_applications[] =
	" Busy ChanSpy ConfBridge Congestion Dial Echo ExtenSpy Hangup MusicOnHold NoOp Park"
	" Playback Queue Read Wait ";

/* Dialplan functions that only look at, or change, the call itself; others reach files, shells,
   the database or other systems. */
static const char allowed_functions[] =
	" CALLERID CDR CHANNEL CONNECTEDLINE DEVICE_STATE EXTENSION_STATE HANGUPCAUSE JITTERBUFFER"
	" PJSIP_HEADER QUEUE_MEMBER QUEUE_VARIABLES REDIRECTING VOLUME ";

/* Whole commands; those that end with a blank are followed by one name. */
static const char *const allowed_commands[] = {"core show channel ",
					       "core show uptime",
					       "dialplan reload",
					       "pjsip reload",
					       "queue reload ",
					       "pjsip reload qualify endpoint ",
					       NULL};

static bool is_word_of(const char *words, const char *word, size_t len)
{
	for (const char *at = words + 1; *at != '\0'; at += strcspn(at, " ") + 1)
		if (strcspn(at, " ") == len && strncasecmp(at, word, len) == 0)
			return true;
	return false;
}

/* "NAME", "FUNCTION(args)", or assignments: "NAME=value,FUNCTION(args)=value". */
static bool variable_is_safe(const char *at)
{
	for (;;) {
		size_t name = strcspn(at, "(=,");

		if (at[name] == '(' && !is_word_of(allowed_functions, at, name))
			return false;
		at = strchr(at, ',');
		if (at == NULL)
			return true;
		at += 1 + strspn(at + 1, " ");
	}
}

static bool command_is_safe(const char *value)
{
	for (const char *const *at = allowed_commands; *at != NULL; at++) {
		size_t len = strlen(*at);

		if ((*at)[len - 1] != ' ' && strcasecmp(*at, value) == 0)
			return true;
		if ((*at)[len - 1] == ' ' && strncasecmp(*at, value, len) == 0)
			return value[len] != '\0' && strchr(value + len, ' ') == NULL;
	}
	return false;
}

static const char *field_refusal(const char *action, const struct action_field *field)
{
	bool command = strcasecmp(field->key, "Command") == 0;

	if (strcasecmp(field->key, "Action") == 0 || strcasecmp(field->key, "ActionID") == 0)
		return "Action and ActionID are not fields";
	if (command && strcasecmp(action, "Command") == 0)
		return command_is_safe(field->value) ? NULL : "this command is not allowed";
	if (command && strcasecmp(action, "MixMonitor") == 0)
		return "MixMonitor may not run a command";
	if (strcasecmp(field->key, "Application") == 0 &&
	    !is_word_of(allowed_applications, field->value, strlen(field->value)))
		return "this application is not allowed";
	if (strcasecmp(field->key, "Variable") == 0 && !variable_is_safe(field->value))
		return "this function is not allowed";
	return NULL;
}

const char *action_refusal(const char *action, const struct action_field *fields, size_t count)
{
	if (!is_word_of(allowed_actions, action, strlen(action)))
		return "this action is not allowed";
	for (size_t i = 0; i < count; i++) {
		const char *refusal = field_refusal(action, &fields[i]);

		if (refusal != NULL)
			return refusal;
	}
	return NULL;
}
