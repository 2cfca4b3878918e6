-- Loses e-mail addresses, who manages which team, and which entry of the stream an act of the audit came from.

ALTER TABLE audit
	DROP KEY IF EXISTS audit_entry,
	DROP COLUMN IF EXISTS entry_id;

DROP TABLE IF EXISTS team_managers;

ALTER TABLE users
	DROP KEY IF EXISTS users_email,
	DROP COLUMN IF EXISTS email;
