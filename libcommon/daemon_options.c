/* The command line and the settings that every daemon has. */
#include "daemon_internal.h"

#include "mem.h"

#include <stdio.h>
#include <string.h>

#define GROUPS_MAX 12

static const struct setting log_table[] = {
	{"LOG_LEVEL", SETTING_CHOICE, offsetof(struct daemon_settings, log_level), 0, 0, "info",
	 "debug info warn error", false, "least level that is written"},
	{"LOG_FORMAT", SETTING_CHOICE, offsetof(struct daemon_settings, log_format), 0, 0, "logfmt",
	 "logfmt json", false, "form of a log line"},
	{0},
};

/* The common HTTP table with this daemon's own address as the default. */
static const struct setting *http_table_for(const char *listen)
{
	static struct setting table[16];
	size_t i = 0;

	for (; http_settings_table[i].name != NULL; i++) {
		table[i] = http_settings_table[i];
		if (strcmp(table[i].name, "HTTP_LISTEN") == 0)
			table[i].fallback = listen;
	}
	return table;
}

const struct settings_group *daemon_groups(const struct daemon_definition *definition,
					   struct daemon_settings *settings)
{
	static struct settings_group groups[GROUPS_MAX];
	size_t count = 0;

	groups[count++] = (struct settings_group){log_table, settings};
	groups[count++] =
		(struct settings_group){http_table_for(definition->listen), &settings->http};
	for (const struct settings_group *own = definition->groups;
	     own->table != NULL && count < GROUPS_MAX - 1; own++)
		groups[count++] = *own;
	return groups;
}

static void print_help(const struct daemon_definition *definition,
		       const struct settings_group *groups)
{
	struct buffer text = {0};

	buffer_printf(&text, "%s: %s\n\nUsage: %s [OPTION]\n\n", definition->name,
		      definition->summary, definition->name);
	buffer_append_str(&text,
			  "  --help      this text\n"
			  "  --check     check the settings and leave\n"
			  "  --healthy   ask the one that runs with these settings: status 0 when "
			  "it is alive\n"
			  "  --routes    print the REST routes with their permissions and leave\n"
			  "  --version   print the version and leave\n");
	if (definition->command.name != NULL)
		buffer_printf(&text, "  %s [%s]  %s\n", definition->command.name,
			      definition->command.value, definition->command.meaning);
	buffer_append_str(&text, "\nSettings come from the environment; NAME_FILE names a file "
				 "that holds the value of NAME:\n\n");
	settings_describe(groups, &text);
	buffer_append_str(&text, "\nSIGTERM drains and leaves within 5 s, a second one leaves at "
				 "once.\nSIGUSR1 sets the log level to debug, SIGHUP back.\n");
	fputs(buffer_str(&text), stdout);
	buffer_free(&text);
}

enum daemon_option daemon_option_parse(const struct daemon_definition *definition,
				       const struct settings_group *groups, int argc, char *argv[])
{
	const char *option = argc > 1 ? argv[1] : "";

	if (argc == 1)
		return DAEMON_RUN;
	if (argc == 2 && strcmp(option, "--check") == 0)
		return DAEMON_CHECK;
	if (argc == 2 && strcmp(option, "--healthy") == 0)
		return DAEMON_HEALTHY;
	if (argc == 2 && strcmp(option, "--routes") == 0)
		return DAEMON_ROUTES;
	if (argc <= 3 && definition->command.name != NULL &&
	    strcmp(option, definition->command.name) == 0)
		return DAEMON_COMMAND;
	if (argc == 2 && strcmp(option, "--help") == 0) {
		print_help(definition, groups);
		return DAEMON_DONE;
	}
	if (argc == 2 && strcmp(option, "--version") == 0) {
		printf("%s %s\n", definition->name, MAYDAY_VERSION);
		return DAEMON_DONE;
	}
	fprintf(stderr, "%s: unknown option '%s'; see %s --help\n", definition->name,
		argc > 2 ? argv[2] : option, definition->name);
	return DAEMON_USAGE;
}
