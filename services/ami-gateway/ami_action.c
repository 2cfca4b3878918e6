#include "ami_action.h"

#include <string.h>

/* A key is a name or a variable's: no colon, no space, no control. */
static bool key_is_good(const char *key)
{
	if (*key == '\0')
		return false;
	for (; *key != '\0'; key++)
		if (*key <= ' ' || *key >= 0x7F || *key == ':')
			return false;
	return true;
}

void ami_action_begin(struct ami_action *action, const char *name, const char *id)
{
	buffer_clear(&action->text);
	action->headers = 0;
	action->error = NULL;
	ami_action_field(action, "Action", name);
	ami_action_field(action, "ActionID", id);
	if (strlen(id) > AMI_ID_MAX)
		action->error = "the id is too long";
}

void ami_action_field(struct ami_action *action, const char *key, const char *value)
{
	if (action->error != NULL)
		return;
	if (!key_is_good(key))
		action->error = "the name of a field is not allowed";
	else if (strpbrk(value, "\r\n") != NULL)
		action->error = "a value holds a line end";
	else if (strlen(key) + 2 + strlen(value) > AMI_LINE_MAX)
		action->error = "a value is too long";
	else if (action->headers == AMI_ACTION_HEADERS_MAX)
		action->error = "there are too many fields";
	else
		buffer_printf(&action->text, "%s: %s\r\n", key, value);
	action->headers++;
}

int ami_action_end(struct ami_action *action)
{
	buffer_append(&action->text, "\r\n", 2);
	return action->error == NULL ? 0 : -1;
}

void ami_action_free(struct ami_action *action)
{
	buffer_free(&action->text);
}
