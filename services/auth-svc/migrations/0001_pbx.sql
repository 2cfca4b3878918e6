-- The tables that Asterisk reads and writes. Names, and what may be NULL, are Asterisk's: a NULL is skipped, a column that it does not
-- know makes the object vanish, a wrong value in a known column too. ps_contacts is written by Asterisk, with every column.
-- Statements can be run again after a failure half-way: MariaDB commits each change of a table by itself.

CREATE TABLE IF NOT EXISTS ps_endpoints (
	id VARCHAR(40) NOT NULL PRIMARY KEY,
	transport VARCHAR(40), aors VARCHAR(2048), auth VARCHAR(255), outbound_auth VARCHAR(255), context VARCHAR(40),
	disallow VARCHAR(200), allow VARCHAR(200),
	direct_media ENUM('yes','no'), rtp_symmetric ENUM('yes','no'), force_rport ENUM('yes','no'), rewrite_contact ENUM('yes','no'),
	dtmf_mode VARCHAR(20), callerid VARCHAR(255), device_state_busy_at INTEGER,
	send_pai ENUM('yes','no'), trust_id_inbound ENUM('yes','no'), from_user VARCHAR(40), from_domain VARCHAR(255),
	language VARCHAR(40), set_var TEXT
);

CREATE TABLE IF NOT EXISTS ps_auths (
	id VARCHAR(40) NOT NULL PRIMARY KEY,
	auth_type VARCHAR(20), username VARCHAR(255), password VARCHAR(255), realm VARCHAR(255)
);

CREATE TABLE IF NOT EXISTS ps_aors (
	id VARCHAR(40) NOT NULL PRIMARY KEY,
	contact VARCHAR(255), max_contacts INTEGER, remove_existing ENUM('yes','no'),
	default_expiration INTEGER, minimum_expiration INTEGER, qualify_frequency INTEGER
);

CREATE TABLE IF NOT EXISTS ps_contacts (
	id VARCHAR(255) NOT NULL PRIMARY KEY,
	uri VARCHAR(511), expiration_time BIGINT, qualify_frequency INTEGER, qualify_timeout FLOAT,
	qualify_2xx_only ENUM('0','1','off','on','false','true','no','yes'),
	authenticate_qualify ENUM('0','1','off','on','false','true','no','yes'),
	outbound_proxy VARCHAR(255), path TEXT, user_agent VARCHAR(255), endpoint VARCHAR(255), reg_server VARCHAR(255),
	via_addr VARCHAR(255), via_port INTEGER, call_id VARCHAR(255),
	prune_on_boot ENUM('0','1','off','on','false','true','no','yes'),
	KEY qualify_and_expiration (qualify_frequency, expiration_time)
);

CREATE TABLE IF NOT EXISTS ps_endpoint_id_ips (
	id VARCHAR(40) NOT NULL PRIMARY KEY,
	endpoint VARCHAR(40), `match` VARCHAR(80), srv_lookups ENUM('yes','no'), match_header VARCHAR(255)
);

CREATE TABLE IF NOT EXISTS queues (
	name VARCHAR(128) NOT NULL PRIMARY KEY,
	strategy VARCHAR(20), timeout INTEGER, retry INTEGER, wrapuptime INTEGER, ringinuse ENUM('yes','no'), autopause VARCHAR(3),
	joinempty VARCHAR(128), leavewhenempty VARCHAR(128), musiconhold VARCHAR(128), maxlen INTEGER, servicelevel INTEGER,
	weight INTEGER
);

CREATE TABLE IF NOT EXISTS queue_members (
	uniqueid INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
	queue_name VARCHAR(80) NOT NULL, interface VARCHAR(80) NOT NULL, membername VARCHAR(80), state_interface VARCHAR(80),
	penalty INTEGER, paused INTEGER, reason_paused VARCHAR(80), wrapuptime INTEGER, ringinuse ENUM('0','1','yes','no'),
	UNIQUE KEY queue_and_interface (queue_name, interface)
);

CREATE TABLE IF NOT EXISTS voice_extensions (
	id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	context VARCHAR(40) NOT NULL, exten VARCHAR(40) NOT NULL, priority INTEGER NOT NULL,
	app VARCHAR(40) NOT NULL, appdata VARCHAR(256) NOT NULL,
	UNIQUE KEY step (context, exten, priority)
);

-- What ODBC_USER_PRESENCE reads and writes.
CREATE TABLE IF NOT EXISTS user_presence (
	extension VARCHAR(40) NOT NULL PRIMARY KEY,
	presence VARCHAR(20) NOT NULL
);
