#include "agent_pause.h"

#include "json.h"
#include "live_view.h"
#include "mem.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGGED_OUT "logged_out"

struct job {
	struct commands *commands;
	enum {
		JOB_PAUSE,
		JOB_LOG_IN,
		JOB_LOG_OUT
	} kind;
	char *pbx, *extension, *queue, *reason, *by, *request_id;
	bool paused;
	agent_pause_fn *done;
	void *context;
	size_t waiting, taken;
	enum msg_ami_reply_outcome outcome; /* the first refusal */
	char *message;
	bool refused;
};

static struct job *job_new(struct commands *commands, const char *pbx,
			   const struct agent_pause *pause, agent_pause_fn *done, void *context)
{
	struct job *job = mem_new(struct job);

	job->commands = commands;
	job->pbx = mem_strdup(pbx);
	job->extension = mem_strdup(pause->extension);
	job->queue = mem_strdup(pause->queue);
	job->reason = mem_strdup(pause->reason != NULL ? pause->reason : "");
	job->by = mem_strdup(pause->by);
	job->request_id = mem_strdup(pause->request_id);
	job->paused = pause->paused;
	job->done = done;
	job->context = context;
	return job;
}

static void finish(struct job *job)
{
	if (job->refused)
		job->done(job->outcome, job->message, job->context);
	else
		job->done(MSG_AMI_REPLY_OUTCOME_SUCCESS, "", job->context);
	free(job->pbx);
	free(job->extension);
	free(job->queue);
	free(job->reason);
	free(job->by);
	free(job->request_id);
	free(job->message);
	free(job);
}

static void refuse(struct job *job, enum msg_ami_reply_outcome outcome, const char *message)
{
	if (job->refused)
		return;
	job->refused = true;
	job->outcome = outcome;
	job->message = mem_strdup(message);
}

static void release(struct job *job)
{
	if (--job->waiting == 0)
		finish(job);
}

static void on_answer(enum msg_ami_reply_outcome outcome, const char *message, void *context)
{
	struct job *job = context;

	if (outcome != MSG_AMI_REPLY_OUTCOME_SUCCESS)
		refuse(job, outcome, message);
	release(job);
}

static void send_action(struct job *job, struct command *command)
{
	char call_id[64];

	snprintf(call_id, sizeof(call_id), "agent:%s", job->extension);
	command->pbx = job->pbx;
	command->call_id = call_id;
	command->request_id = job->request_id;
	job->waiting++;
	commands_send(job->commands, command, on_answer, job);
}

static void send_pause(struct job *job, const char *queue, const char *interface, bool paused,
		       const char *reason)
{
	struct command command = {
		.action = "QueuePause",
		.fields = {{"Queue", queue},
			   {"Interface", interface},
			   {"Paused", paused ? "true" : "false"},
			   {"Reason", reason}},
	};

	send_action(job, &command);
}

/* Says nothing to Asterisk, and comes back as MaydayDone, after what it took before. */
static void send_told(struct job *job)
{
	struct buffer data = {0};
	struct json_writer writer = json_writer_init(&data);
	struct command command = {
		.action = "UserEvent",
		.fields = {{"UserEvent", "MaydayAgent"}, {"Extension", job->extension}},
	};

	json_begin_object(&writer);
	json_field_str(&writer, "agent", job->extension);
	json_field_bool(&writer, "paused", job->paused);
	json_field_str(&writer, "reason", job->reason);
	if (job->by != NULL)
		json_field_str(&writer, "by", job->by);
	json_end_object(&writer);
	command.data = buffer_str(&data);
	send_action(job, &command);
	buffer_free(&data);
}

static bool is_logged_in(const cJSON *membership)
{
	return json_get_bool(membership, "loggedIn", true);
}

static void pause_memberships(struct job *job, const cJSON *memberships)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, memberships)
	{
		const char *queue = json_get_str(item, "queue");
		const char *interface = json_get_str(item, "interface");

		if (queue == NULL || interface == NULL || !is_logged_in(item) ||
		    (job->queue != NULL && strcmp(job->queue, queue) != 0))
			continue;
		job->taken++;
		send_pause(job, queue, interface, job->paused, job->reason);
	}
	if (job->queue != NULL && job->taken == 0)
		refuse(job, MSG_AMI_REPLY_OUTCOME_ERROR, "the agent is not logged in there");
	else if (job->queue == NULL)
		send_told(job);
}

static const cJSON *membership_of(const struct job *job, const cJSON *memberships)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, memberships)
	{
		const char *queue = json_get_str(item, "queue");

		if (queue != NULL && strcmp(queue, job->queue) == 0)
			return item;
	}
	return NULL;
}

static void log_in(struct job *job, const cJSON *membership, const redisReply *agent)
{
	bool paused = live_field(agent, "paused")[0] == '1';
	const char *reason = live_field(agent, "pauseReason");
	char interface[64], name[64];
	struct command command = {
		.action = "QueueAdd",
		.fields = {{"Queue", job->queue},
			   {"Interface", interface},
			   {"StateInterface", interface},
			   {"MemberName", name},
			   {"Paused", paused ? "true" : "false"},
			   {"Reason", reason}},
	};

	snprintf(interface, sizeof(interface), "PJSIP/%s", job->extension);
	snprintf(name, sizeof(name), "Agent %s", job->extension);
	if (membership == NULL)
		send_action(job, &command);
	else if (!is_logged_in(membership))
		send_pause(job, job->queue, json_get_str(membership, "interface"), paused, reason);
}

static void log_out(struct job *job, const cJSON *membership)
{
	const char *kind = json_get_str(membership, "membership");
	const char *interface = json_get_str(membership, "interface");
	struct command command = {
		.action = "QueueRemove",
		.fields = {{"Queue", job->queue}, {"Interface", interface}},
	};

	if (membership == NULL)
		return;
	if (kind != NULL && strcmp(kind, "dynamic") == 0)
		send_action(job, &command);
	else if (is_logged_in(membership))
		send_pause(job, job->queue, interface, true, LOGGED_OUT);
}

/* The agent is where its phone is. */
static void take_pbx(struct job *job, const char *pbx)
{
	if (pbx[0] == '\0')
		return;
	free(job->pbx);
	job->pbx = mem_strdup(pbx);
}

static void act(struct job *job, const redisReply *agent)
{
	const char *text = live_field(agent, "queues"), *error;
	cJSON *memberships = json_parse(text, strlen(text), &error);

	take_pbx(job, live_field(agent, "pbx"));
	if (job->kind == JOB_PAUSE)
		pause_memberships(job, memberships);
	else if (job->kind == JOB_LOG_IN)
		log_in(job, membership_of(job, memberships), agent);
	else
		log_out(job, membership_of(job, memberships));
	cJSON_Delete(memberships);
}

static void on_agent(const redisReply *reply, void *context)
{
	struct job *job = context;

	job->waiting = 1;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		refuse(job, MSG_AMI_REPLY_OUTCOME_UNAVAILABLE, "Redis is away");
	else
		act(job, reply);
	release(job);
}

static void begin(struct redis_link *link, struct job *job)
{
	if (store_agent_get(link, job->extension, on_agent, job) == 0)
		return;
	refuse(job, MSG_AMI_REPLY_OUTCOME_UNAVAILABLE, "Redis is away");
	finish(job);
}

void agent_pause(struct redis_link *link, struct commands *commands, const char *pbx,
		 const struct agent_pause *pause, agent_pause_fn *done, void *context)
{
	begin(link, job_new(commands, pbx, pause, done, context));
}

void agent_log_in(struct redis_link *link, struct commands *commands, const char *pbx,
		  const struct agent_pause *pause, agent_pause_fn *done, void *context)
{
	struct job *job = job_new(commands, pbx, pause, done, context);

	job->kind = JOB_LOG_IN;
	begin(link, job);
}

void agent_log_out(struct redis_link *link, struct commands *commands, const char *pbx,
		   const struct agent_pause *pause, agent_pause_fn *done, void *context)
{
	struct job *job = job_new(commands, pbx, pause, done, context);

	job->kind = JOB_LOG_OUT;
	begin(link, job);
}
