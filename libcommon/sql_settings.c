#include "sql_settings.h"

#define FIELD(name) offsetof(struct sql_settings, name)

#define REST                                                                                       \
	{"DB_NAME", SETTING_TEXT, FIELD(database), 1, 64, "mayday", NULL, false, "database"},      \
		{"DB_PASSWORD", SETTING_TEXT, FIELD(password),      0, 256, "",                    \
		 NULL,          true,         "password of DB_USER"},                              \
		{"DB_POOL",                                                                        \
		 SETTING_NUMBER,                                                                   \
		 FIELD(pool),                                                                      \
		 1,                                                                                \
		 20,                                                                               \
		 "4",                                                                              \
		 NULL,                                                                             \
		 false,                                                                            \
		 "connections that are kept open"},                                                \
		{"DB_PORT", SETTING_NUMBER, FIELD(port),      1, 65535, "3306",                    \
		 NULL,      false,          "port of MariaDB"},                                    \
		{"DB_TIMEOUT_MS",                                                                  \
		 SETTING_NUMBER,                                                                   \
		 FIELD(timeout_ms),                                                                \
		 100,                                                                              \
		 60000,                                                                            \
		 "2000",                                                                           \
		 NULL,                                                                             \
		 false,                                                                            \
		 "to connect, to wait for a connection, and for each statement"},                  \
		{"DB_USER", SETTING_TEXT, FIELD(user),      1, 80, "mayday",                       \
		 NULL,      false,        "user at MariaDB"},                                      \
	{                                                                                          \
		0                                                                                  \
	}

const struct setting sql_settings_table[] = {
	{"DB_HOST", SETTING_TEXT, FIELD(host), 1, 255, "127.0.0.1", NULL, false,
	 "address of MariaDB; not a name, since looking it up would block"},
	REST,
};

const struct setting sql_settings_optional_table[] = {
	{"DB_HOST", SETTING_TEXT, FIELD(host), 0, 255, "", NULL, false,
	 "address of MariaDB; not a name, since looking it up would block. Empty: without it"},
	REST,
};
