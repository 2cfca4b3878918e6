#include "model_parts.h"

#include <string.h>

const char *const call_state_names[CALL_STATES] = {
	"originating",  "dialing", "ringing", "established", "held",
	"transferring", "parked",  "queued",  "ended",
};

const char *const call_result_names[RESULTS] = {
	"",       "answered",  "busy",    "declined",   "no_answer", "cancelled", "unreachable",
	"failed", "abandoned", "timeout", "reconciled",
};

const char *const call_direction_names[DIRECTIONS] = {"internal", "inbound", "outbound"};

const char *const segment_kind_names[SEGMENT_KINDS] = {
	"dial", "queue",      "transfer",    "consultation",
	"park", "conference", "application", "supervision",
};

int name_index(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; name != NULL && i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

/* The words of Asterisk's causes.h. */
static const struct {
	int cause;
	const char *text;
} causes[] = {
	{0, "Unknown"},
	{1, "Unallocated (unassigned) number"},
	{2, "No route to specified transit network"},
	{3, "No route to destination"},
	{6, "Channel unacceptable"},
	{7, "Call awarded and being delivered in an established channel"},
	{16, "Normal Clearing"},
	{17, "User busy"},
	{18, "No user responding"},
	{19, "User alerting, no answer"},
	{20, "Subscriber absent"},
	{21, "Call Rejected"},
	{22, "Number changed"},
	{23, "Redirected to new destination"},
	{26, "Answered elsewhere"},
	{27, "Destination out of order"},
	{28, "Invalid number format"},
	{29, "Facility rejected"},
	{30, "Response to STATus ENQuiry"},
	{31, "Normal, unspecified"},
	{34, "Circuit/channel congestion"},
	{38, "Network out of order"},
	{41, "Temporary failure"},
	{42, "Switching equipment congestion"},
	{43, "Access information discarded"},
	{44, "Requested channel not available"},
	{50, "Facility not subscribed"},
	{52, "Outgoing call barred"},
	{54, "Incoming call barred"},
	{57, "Bearer capability not authorized"},
	{58, "Bearer capability not available"},
	{65, "Bearer capability not implemented"},
	{66, "Channel not implemented"},
	{69, "Facility not implemented"},
	{81, "Invalid call reference value"},
	{88, "Incompatible destination"},
	{95, "Invalid message unspecified"},
	{96, "Mandatory information element is missing"},
	{97, "Message type nonexist."},
	{98, "Wrong message"},
	{99, "Info. element nonexist or not implemented"},
	{100, "Invalid information element contents"},
	{101, "Message not compatible with call state"},
	{102, "Recover on timer expiry"},
	{103, "Mandatory IE length error"},
	{111, "Protocol error, unspecified"},
	{127, "Interworking, unspecified"},
};

const char *cause_text(int cause)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].cause == cause)
			return causes[i].text;
	return "Unknown";
}
