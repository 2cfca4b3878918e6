#include "commands.h"

#include "clock.h"
#include "ids.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "store.h"
#include "stream_reader.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 10000
#define SWEEP_MS    100
/* The gateway's own answer to one that came too late should arrive before we give up. */
#define GRACE_MS 500
#define BATCH    200
#define BLOCK_MS 5000

struct waiting {
	struct waiting *next;
	char id[ID_RANDOM_LEN + 1];
	int64_t until_ms;
	command_done_fn *done;
	void *context;
};

struct commands {
	struct redis_link *link;
	struct stream_reader *reader;
	struct timer *timer;
	char *stream;
	const char *streams[2];
	int64_t timeout_ms;
	struct waiting *waiting;
	size_t count;
};

static struct waiting *take(struct commands *commands, const char *id)
{
	struct waiting **link = &commands->waiting;
	struct waiting *found;

	while (*link != NULL && strcmp((*link)->id, id) != 0)
		link = &(*link)->next;
	found = *link;
	if (found != NULL) {
		*link = found->next;
		commands->count--;
	}
	return found;
}

static void answer(struct commands *commands, const char *id, enum msg_ami_reply_outcome outcome,
		   const char *message)
{
	struct waiting *waiting = take(commands, id);

	if (waiting == NULL)
		return;
	waiting->done(outcome, message, waiting->context);
	free(waiting);
}

static void on_reply(struct commands *commands, const struct stream_entry *entry)
{
	struct msg_ami_reply reply;
	const char *error = NULL;
	cJSON *object = json_parse(entry->data, entry->len, &error);

	if (object == NULL || msg_ami_reply_parse(object, &reply, &error) < 0)
		log_warn("reply cannot be read", log_str("why", error));
	else
		answer(commands, reply.id, reply.outcome,
		       reply.message != NULL ? reply.message : "");
	cJSON_Delete(object);
}

static void on_batch(const struct stream_entry *entries, size_t count, void *context)
{
	struct commands *commands = context;

	for (size_t i = 0; i < count; i++)
		on_reply(commands, &entries[i]);
	stream_reader_next(commands->reader);
}

static void on_sweep(void *context)
{
	struct commands *commands = context;
	int64_t now = clock_mono_ms();
	struct waiting *next;

	for (struct waiting *waiting = commands->waiting; waiting != NULL; waiting = next) {
		char id[ID_RANDOM_LEN + 1];

		next = waiting->next;
		if (now < waiting->until_ms)
			continue;
		memcpy(id, waiting->id, sizeof(id));
		answer(commands, id, MSG_AMI_REPLY_OUTCOME_OUTCOME_UNKNOWN,
		       "nobody answered in time");
	}
}

struct commands *commands_open(uv_loop_t *loop, struct redis_link *link,
			       const struct redis_settings *redis, const char *instance,
			       int64_t timeout_ms)
{
	/* The stream is this process' own: all of it is wanted. */
	static const char *const cursors[] = {"0-0"};
	struct commands *commands = mem_new(struct commands);
	struct stream_reader_settings set = {
		.redis = redis,
		.streams = commands->streams,
		.cursors = cursors,
		.batch_max = BATCH,
		.block_ms = BLOCK_MS,
		.on_batch = on_batch,
		.context = commands,
	};

	commands->link = link;
	commands->timeout_ms = timeout_ms;
	commands->stream = store_reply_stream(instance);
	commands->streams[0] = commands->stream;
	commands->reader = stream_reader_open(loop, &set);
	commands->timer = timer_start(loop, SWEEP_MS, SWEEP_MS, on_sweep, commands);
	return commands;
}

void commands_close(struct commands **closed)
{
	struct commands *commands = *closed;

	*closed = NULL;
	if (commands == NULL)
		return;
	timer_stop(&commands->timer);
	stream_reader_close(&commands->reader);
	while (commands->waiting != NULL)
		answer(commands, commands->waiting->id, MSG_AMI_REPLY_OUTCOME_OUTCOME_UNKNOWN,
		       "this daemon is leaving");
	free(commands->stream);
	free(commands);
}

static void write_fields(const struct command *command, struct buffer *out)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_array(&writer);
	for (size_t i = 0; i < COMMAND_FIELDS_MAX && command->fields[i].name != NULL; i++) {
		json_begin_array(&writer);
		json_str(&writer, command->fields[i].name);
		json_str(&writer, command->fields[i].value);
		json_end_array(&writer);
	}
	json_end_array(&writer);
}

static void write_action(struct commands *commands, const struct command *command, const char *id,
			 const char *reply_to, struct buffer *out)
{
	struct buffer fields = {0};
	struct json_writer writer = json_writer_init(out);
	struct msg_ami_action action = {
		.id = id,
		.action = command->action,
		.deadline_at = clock_wall_ms() + commands->timeout_ms,
		.reply_to = reply_to,
		.request_id = command->request_id,
		.call_id = command->call_id,
		.data.text = command->data,
	};

	write_fields(command, &fields);
	action.fields.text = buffer_str(&fields);
	msg_ami_action_write(&action, &writer);
	buffer_free(&fields);
}

void commands_write(struct commands *commands, const struct command *command, struct buffer *out)
{
	char id[ID_RANDOM_LEN + 1];

	id_random(id);
	write_action(commands, command, id, NULL, out);
}

struct adding {
	struct commands *commands;
	char id[ID_RANDOM_LEN + 1];
};

static void on_added(const redisReply *reply, void *context)
{
	struct adding *adding = context;

	if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
		answer(adding->commands, adding->id, MSG_AMI_REPLY_OUTCOME_UNAVAILABLE, reply->str);
	/* Lost: it may stand in the stream; the answer, or its deadline, will tell. */
	free(adding);
}

void commands_send(struct commands *commands, const struct command *command, command_done_fn *done,
		   void *context)
{
	struct buffer text = {0};
	struct waiting *waiting;
	struct adding *adding;

	if (commands->count >= WAITING_MAX || !redis_link_is_up(commands->link)) {
		done(MSG_AMI_REPLY_OUTCOME_UNAVAILABLE, "Redis is away", context);
		return;
	}
	waiting = mem_new(struct waiting);
	id_random(waiting->id);
	waiting->until_ms = clock_mono_ms() + commands->timeout_ms + GRACE_MS;
	waiting->done = done;
	waiting->context = context;
	waiting->next = commands->waiting;
	commands->waiting = waiting;
	commands->count++;
	adding = mem_new(struct adding);
	adding->commands = commands;
	memcpy(adding->id, waiting->id, sizeof(adding->id));
	write_action(commands, command, waiting->id, commands->stream, &text);
	if (store_action(commands->link, command->pbx, buffer_str(&text), text.len, on_added,
			 adding) < 0) {
		answer(commands, adding->id, MSG_AMI_REPLY_OUTCOME_UNAVAILABLE, "Redis is away");
		free(adding);
	}
	buffer_free(&text);
}
