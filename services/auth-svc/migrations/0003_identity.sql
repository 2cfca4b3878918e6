-- E-mail addresses, who manages which team, and the audit's entries that come over the stream.
-- Statements can be run again after a failure half-way: MariaDB commits each change of a table by itself.

ALTER TABLE users
	ADD COLUMN IF NOT EXISTS email VARCHAR(254) CHARACTER SET ascii COLLATE ascii_general_ci NULL AFTER display_name,
	ADD UNIQUE KEY IF NOT EXISTS users_email (email);

CREATE TABLE IF NOT EXISTS team_managers (
	team_id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	PRIMARY KEY (team_id, user_id),
	KEY team_managers_user (user_id),
	CONSTRAINT team_managers_team FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE,
	CONSTRAINT team_managers_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4;

ALTER TABLE audit
	ADD COLUMN IF NOT EXISTS entry_id VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'of the stream audit; NULL: written with the change itself',
	ADD UNIQUE KEY IF NOT EXISTS audit_entry (entry_id);
