-- People who log in. Roles and what they may do are not here: they are one table in proto/permissions.json.
-- Statements can be run again after a failure half-way: MariaDB commits each change of a table by itself.

CREATE TABLE IF NOT EXISTS teams (
	id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name VARCHAR(100) NOT NULL,
	created_at BIGINT NOT NULL COMMENT 'Unix ms',
	UNIQUE KEY teams_name (name)
) CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS users (
	id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	username VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'in lower case',
	password_hash VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'argon2id, as libsodium writes it',
	role VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	extension VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
	display_name VARCHAR(100) NOT NULL DEFAULT '',
	team_id BIGINT NULL,
	enabled BOOLEAN NOT NULL DEFAULT TRUE,
	created_at BIGINT NOT NULL COMMENT 'Unix ms',
	updated_at BIGINT NOT NULL COMMENT 'Unix ms',
	UNIQUE KEY users_username (username),
	UNIQUE KEY users_extension (extension),
	CONSTRAINT users_team FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE SET NULL
) CHARACTER SET utf8mb4;

-- Who changed what. Rows are only ever added.
CREATE TABLE IF NOT EXISTS audit (
	id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	at BIGINT NOT NULL COMMENT 'Unix ms',
	actor_id VARCHAR(40) NOT NULL COMMENT 'user id; empty for the daemon itself',
	actor VARCHAR(64) NOT NULL,
	address VARCHAR(64) NOT NULL,
	action VARCHAR(40) NOT NULL COMMENT 'noun:past, such as user:created',
	subject VARCHAR(100) NOT NULL,
	detail VARCHAR(1000) NOT NULL DEFAULT '',
	KEY audit_at (at),
	KEY audit_subject (subject, at)
) CHARACTER SET utf8mb4;
