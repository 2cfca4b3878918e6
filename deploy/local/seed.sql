-- What the local stack begins with: ten phones, three queues, their numbers. Harmless to repeat; what people changed stays.
-- The passwords are for phones on loopback addresses alone.

INSERT IGNORE INTO ps_endpoints (id, transport, aors, auth, context, disallow, allow, direct_media, rtp_symmetric, dtmf_mode, callerid,
	device_state_busy_at, send_pai, trust_id_inbound)
SELECT seq, 'udp', seq, seq, 'from-internal', 'all', 'ulaw,alaw', 'no', 'yes', 'rfc4733', CONCAT('"Agent ', seq, '" <', seq, '>'),
	2, 'yes', 'yes' FROM seq_1001_to_1010;
INSERT IGNORE INTO ps_auths (id, auth_type, username, password)
SELECT seq, 'userpass', seq, CONCAT('local-', seq) FROM seq_1001_to_1010;
INSERT IGNORE INTO ps_aors (id, max_contacts, remove_existing, default_expiration, minimum_expiration, qualify_frequency)
SELECT seq, 1, 'yes', 3600, 5, 0 FROM seq_1001_to_1010;
INSERT IGNORE INTO user_presence (extension, presence)
SELECT seq, 'available' FROM seq_1001_to_1010;

-- support rings agents in turn, sales all at once through the dialplan (context agents), short gives up after 5 s.
INSERT IGNORE INTO queues (name, strategy, timeout, retry, wrapuptime, ringinuse, autopause, joinempty, leavewhenempty, musiconhold,
	servicelevel)
VALUES ('support', 'rrmemory', 10, 1, 0, 'no', 'no', 'yes', 'no', 'default', 20),
	('sales', 'ringall', 10, 1, 0, 'no', 'no', 'yes', 'no', 'default', 20),
	('short', 'ringall', 3, 1, 0, 'no', 'yes', 'yes', 'no', 'default', 5);
INSERT IGNORE INTO queue_members (queue_name, interface, membername, state_interface, penalty, paused)
SELECT 'support', CONCAT('PJSIP/', seq), CONCAT('Agent ', seq), CONCAT('PJSIP/', seq), 0, 0 FROM seq_1004_to_1006
UNION SELECT 'sales', CONCAT('Local/', seq, '@agents/n'), CONCAT('Agent ', seq), CONCAT('PJSIP/', seq), 0, 0 FROM seq_1007_to_1008
UNION SELECT 'short', 'PJSIP/1009', 'Agent 1009', 'PJSIP/1009', 0, 0;

INSERT IGNORE INTO voice_extensions (context, exten, priority, app, appdata)
VALUES ('from-internal', '5000', 1, 'Answer', ''), ('from-internal', '5000', 2, 'Queue', 'support,tT,,,60'),
	('from-internal', '5000', 3, 'Hangup', ''),
	('from-internal', '5001', 1, 'Answer', ''), ('from-internal', '5001', 2, 'Queue', 'sales,tT,,,60'),
	('from-internal', '5001', 3, 'Hangup', ''),
	('from-internal', '5002', 1, 'Answer', ''), ('from-internal', '5002', 2, 'Queue', 'short,tT,,,5'),
	('from-internal', '5002', 3, 'Hangup', '');
