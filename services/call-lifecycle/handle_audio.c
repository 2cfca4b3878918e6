/* What is heard: mute, and digits. */
#include "control.h"
#include "json.h"
#include "loop.h"
#include "mem.h"
#include "routes.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 32
#define DIGIT_MS   "80"
/* Three frames of sound: with fewer Asterisk gives two digits one time stamp, and a phone takes
   them for one. All that may be asked for at once stays within a request's deadline. */
#define GAP_MS 60

/* ---- mute ---- */

static void set_muted(struct service *service, struct http_request *request, bool muted)
{
	struct command command = control_command(request, "MuteAudio");
	const struct call_leg *own;
	struct legs legs;
	char *data;

	if (!control_own(request, &legs, &own))
		return;
	data = mem_printf("{\"uniqueid\":\"%s\",\"muted\":%s}", own->uniqueid,
			  muted ? "true" : "false");
	command.data = data;
	control_add(&command, "Channel", own->channel);
	/* What comes in from this phone is not heard by the others. */
	control_add(&command, "Direction", "in");
	control_add(&command, "State", muted ? "on" : "off");
	control_send(service, request, &command, NULL);
	free(data);
}

void handle_mute(struct http_request *request, void *context)
{
	set_muted(context, request, true);
}

void handle_unmute(struct http_request *request, void *context)
{
	set_muted(context, request, false);
}

/* ---- digits: one action each, the next when Asterisk has played it ---- */

struct playing {
	struct service *service;
	struct http_request *request;
	char digits[DIGITS_MAX + 1];
	size_t at;
	char *channel;
	bool receive;         /* as if the phone itself had sent them */
	struct timer *gap;    /* until the next one */
	struct playing *next; /* in service->playing, while gap runs */
};

static void play_next(struct playing *playing);

static void playing_free(struct playing *playing)
{
	free(playing->channel);
	free(playing);
}

static void leave_gap(struct playing *playing)
{
	struct playing **at = &playing->service->playing;

	while (*at != playing)
		at = &(*at)->next;
	*at = playing->next;
	timer_stop(&playing->gap);
}

static void on_gap_over(void *context)
{
	leave_gap(context);
	play_next(context);
}

static void enter_gap(struct playing *playing)
{
	playing->next = playing->service->playing;
	playing->service->playing = playing;
	playing->gap = timer_start(playing->service->daemon->loop, GAP_MS, 0, on_gap_over, playing);
}

void handle_audio_close(struct service *service)
{
	struct playing *playing;

	while ((playing = service->playing) != NULL) {
		service->playing = playing->next;
		timer_stop(&playing->gap);
		control_refused(playing->request, MSG_AMI_REPLY_OUTCOME_UNAVAILABLE, "going away");
		playing_free(playing);
	}
}

static void on_played(enum msg_ami_reply_outcome outcome, const char *message, void *context)
{
	struct playing *playing = context;

	if (outcome != MSG_AMI_REPLY_OUTCOME_SUCCESS) {
		control_refused(playing->request, outcome, message);
		playing_free(playing);
		return;
	}
	playing->at++;
	if (playing->digits[playing->at] != '\0')
		enter_gap(playing);
	else
		play_next(playing);
}

static void play_next(struct playing *playing)
{
	struct command command;
	char digit[2] = {playing->digits[playing->at], '\0'};

	if (digit[0] == '\0') {
		control_accepted(playing->request, NULL);
		playing_free(playing);
		return;
	}
	command = control_command(playing->request, "PlayDTMF");
	control_add(&command, "Channel", playing->channel);
	control_add(&command, "Digit", digit);
	control_add(&command, "Duration", DIGIT_MS);
	if (playing->receive)
		control_add(&command, "Receive", "true");
	commands_send(playing->service->commands, &command, on_played, playing);
}

static const char *read_digits(struct http_request *request)
{
	const cJSON *body = http_json(request);
	const char *digits = json_get_str(body, "digits");
	size_t len = digits != NULL ? strlen(digits) : 0;

	if (body->child == NULL || body->child->next != NULL || len == 0 || len > DIGITS_MAX ||
	    strspn(digits, "0123456789*#ABCD") != len) {
		http_reply_error_details(request, 400, "invalid_field", "{\"field\":\"digits\"}",
					 "digits must be 1 to 32 of 0-9, *, # and A-D, and all "
					 "that the body has");
		return NULL;
	}
	return digits;
}

/* The other party hears them; an application of Asterisk's that talks to this side alone takes them
   as its own. */
void handle_dtmf(struct http_request *request, void *context)
{
	const char *digits = read_digits(request);
	const struct call_leg *own, *other;
	struct playing *playing;
	struct legs legs;

	if (digits == NULL || !control_own(request, &legs, &own) ||
	    !control_is_up(context, request))
		return;
	other = own->peer[0] != '\0' ? control_leg_of(&legs, own->peer) : NULL;
	playing = mem_new(struct playing);
	playing->service = context;
	playing->request = request;
	strcpy(playing->digits, digits);
	playing->channel = mem_strdup(other != NULL ? other->channel : own->channel);
	playing->receive = other == NULL;
	play_next(playing);
}
