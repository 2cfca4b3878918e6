/* Banner, MD5 challenge, Login; on a link for events then filters, CoreSettings and the wait for
   FullyBooted. The secret goes over the wire only when AMI_PLAIN_LOGIN allows it. */
#include "ami_link_internal.h"

#include "clock.h"
#include "log.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define BANNER     "Asterisk Call Manager/"
#define BANNER_MAX 256

/* ---- asking ---- */

static void begin(struct ami_link *link, const char *action, char *id_r)
{
	ami_link_make_id(link, id_r);
	ami_action_begin(&link->action, action, id_r);
}

static void transmit(struct ami_link *link, const char *id, ami_answer_fn *fn)
{
	if (ami_action_end(&link->action) < 0 ||
	    ami_link_transmit(link, id, &link->action.text, fn, link) < 0)
		ami_link_drop(link, "the login cannot be sent", true);
}

/* MD5 of challenge and secret, in hex. out holds 33 bytes. */
static void make_key(const char *challenge, const char *secret, char *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	EVP_MD_CTX *md5 = EVP_MD_CTX_new();

	if (md5 != NULL && EVP_DigestInit_ex(md5, EVP_md5(), NULL) == 1) {
		EVP_DigestUpdate(md5, challenge, strlen(challenge));
		EVP_DigestUpdate(md5, secret, strlen(secret));
		EVP_DigestFinal_ex(md5, digest, NULL);
	}
	EVP_MD_CTX_free(md5);
	for (size_t i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* ---- up ---- */

static void settle(struct ami_link *link)
{
	if (link->state == AMI_LINK_LOGIN && link->is_accepted && link->login_pending == 0 &&
	    link->is_booted)
		ami_link_come_up(link);
}

static void on_settings(enum ami_part part, const struct ami_message *message, void *context)
{
	struct ami_link *link = context;

	if (part != AMI_PART_LAST)
		return;
	ami_header_copy(ami_first(message, "AsteriskVersion"), link->version,
			sizeof(link->version));
	ami_header_copy(ami_first(message, "SystemName"), link->systemname,
			sizeof(link->systemname));
	link->login_pending--;
	settle(link);
}

static void ask_settings(struct ami_link *link)
{
	char id[AMI_ID_MAX + 1];

	begin(link, "CoreSettings", id);
	link->login_pending++;
	transmit(link, id, on_settings);
}

/* ---- filters ---- */

static void on_old_filter(enum ami_part part, const struct ami_message *message, void *context)
{
	struct ami_link *link = context;

	(void)message; /* what it does not filter is dropped here */
	if (part == AMI_PART_LOST)
		return;
	link->login_pending--;
	settle(link);
}

/* For an Asterisk that does not know MatchCriteria: a pattern that is held against the whole event;
   anchored, so that no value further down can hide an event. */
static void set_old_filters(struct ami_link *link)
{
	char id[AMI_ID_MAX + 1];
	char pattern[128];

	for (size_t i = 0; i < event_filter_count(link->config.filter); i++) {
		snprintf(pattern, sizeof(pattern), "!^Event: %s[[:cntrl:]]",
			 event_filter_name(link->config.filter, i));
		begin(link, "Filter", id);
		ami_action_field(&link->action, "Operation", "Add");
		ami_action_field(&link->action, "Filter", pattern);
		link->login_pending++;
		transmit(link, id, on_old_filter);
	}
}

static void on_filter(enum ami_part part, const struct ami_message *message, void *context)
{
	struct ami_link *link = context;

	if (part == AMI_PART_LOST)
		return;
	link->login_pending--;
	if (!ami_header_is(ami_first(message, "Response"), "Success") && !link->filters_old) {
		link->filters_old = true;
		set_old_filters(link);
	}
	settle(link);
}

static void set_filters(struct ami_link *link)
{
	char id[AMI_ID_MAX + 1];
	char criteria[128];

	for (size_t i = 0; i < event_filter_count(link->config.filter); i++) {
		snprintf(criteria, sizeof(criteria), "action(exclude),name(%s)",
			 event_filter_name(link->config.filter, i));
		begin(link, "Filter", id);
		ami_action_field(&link->action, "Operation", "Add");
		ami_action_field(&link->action, "MatchCriteria", criteria);
		ami_action_field(&link->action, "Filter", "");
		link->login_pending++;
		transmit(link, id, on_filter);
	}
}

/* ---- login ---- */

static void on_login(enum ami_part part, const struct ami_message *message, void *context)
{
	struct ami_link *link = context;
	char said[96];
	struct buffer reason = {0};

	if (part == AMI_PART_LOST)
		return;
	if (!ami_header_is(ami_first(message, "Response"), "Success")) {
		ami_header_copy(ami_first(message, "Message"), said, sizeof(said));
		buffer_printf(&reason, "the server refuses the user or the secret: %s", said);
		ami_link_drop(link, buffer_str(&reason), true);
		buffer_free(&reason);
		return;
	}
	link->is_accepted = true;
	if (link->config.filter == NULL) {
		link->is_booted = true;
	} else {
		set_filters(link);
		ask_settings(link);
	}
	settle(link);
}

/* key NULL: with the secret itself. */
static void send_login(struct ami_link *link, const char *key)
{
	char id[AMI_ID_MAX + 1];

	begin(link, "Login", id);
	if (key != NULL)
		ami_action_field(&link->action, "AuthType", "MD5");
	ami_action_field(&link->action, "Username", link->config.username);
	ami_action_field(&link->action, key != NULL ? "Key" : "Secret",
			 key != NULL ? key : link->config.secret);
	ami_action_field(&link->action, "Events", link->config.filter != NULL ? "on" : "off");
	transmit(link, id, on_login);
}

static void on_challenge(enum ami_part part, const struct ami_message *message, void *context)
{
	struct ami_link *link = context;
	char challenge[128];
	char key[33];

	if (part == AMI_PART_LOST)
		return;
	ami_header_copy(ami_first(message, "Challenge"), challenge, sizeof(challenge));
	if (challenge[0] != '\0') {
		make_key(challenge, link->config.secret, key);
		send_login(link, key);
	} else if (link->config.plain_login) {
		send_login(link, NULL);
	} else {
		ami_link_drop(link, "no MD5 challenge is offered, and AMI_PLAIN_LOGIN is no", true);
	}
}

static void ask_challenge(struct ami_link *link)
{
	char id[AMI_ID_MAX + 1];

	begin(link, "Challenge", id);
	ami_action_field(&link->action, "AuthType", "MD5");
	transmit(link, id, on_challenge);
}

void ami_login_begin(struct ami_link *link)
{
	buffer_clear(&link->banner);
	link->login_pending = 0;
	link->is_accepted = link->is_booted = link->filters_old = false;
	link->version[0] = link->systemname[0] = '\0';
}

/* ---- what comes ---- */

void ami_login_banner(struct ami_link *link, const char *data, size_t len)
{
	const char *newline = memchr(data, '\n', len);
	size_t part = newline != NULL ? (size_t)(newline + 1 - data) : len;

	if (link->banner.len + part > BANNER_MAX) {
		ami_link_drop(link, "this is not an AMI server: its first line is too long", true);
		return;
	}
	buffer_append(&link->banner, data, part);
	if (newline == NULL)
		return;
	if (strncmp(buffer_str(&link->banner), BANNER, sizeof(BANNER) - 1) != 0) {
		ami_link_drop(link, "this is not an AMI server: another banner", true);
		return;
	}
	ask_challenge(link);
	if (link->socket != NULL)
		ami_link_feed(link, data + part, len - part);
}

void ami_login_message(struct ami_link *link, const struct ami_message *message)
{
	if (message->kind != AMI_EVENT || !ami_header_is(&message->headers[0], "FullyBooted"))
		return;
	link->is_booted = true;
	settle(link);
}

/* Asterisk answers logins while it is still loading; a user without the class "system" is never
   told when it has booted. */
void ami_login_tick(struct ami_link *link)
{
	if (clock_mono_ms() - link->since_mono_ms < link->config.timeout_ms)
		return;
	if (!link->is_accepted || link->login_pending > 0) {
		ami_link_drop(link, "no answer to the login in time", false);
		return;
	}
	log_warn("no FullyBooted: it is loading, or the user may not read the class system",
		 log_str("pbx", link->config.pbx));
	link->is_booted = true;
	settle(link);
}
