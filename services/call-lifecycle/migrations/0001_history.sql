-- What was: every ended call once, who took part, who spoke with whom, recordings, and how long each agent was in which state.
-- Rows come in batches; number of a batch and how far the streams are read stand in one transaction with its rows.
-- Statements can be run again after a failure half-way: MariaDB commits each change of a table by itself.

CREATE TABLE IF NOT EXISTS history_batches (
	number BIGINT NOT NULL PRIMARY KEY,
	calls_upto VARCHAR(42) NOT NULL COMMENT 'entry of events:call that is in it or in an earlier one',
	agents_upto VARCHAR(42) NOT NULL COMMENT 'the same of events:agent',
	calls INTEGER NOT NULL,
	intervals INTEGER NOT NULL,
	written_at BIGINT NOT NULL COMMENT 'Unix ms'
) CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE IF NOT EXISTS call_history (
	call_id VARCHAR(150) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	batch BIGINT NOT NULL,
	pbx VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	direction VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	from_number VARCHAR(40) NOT NULL DEFAULT '',
	from_name VARCHAR(200) NOT NULL DEFAULT '',
	from_extension VARCHAR(40) NOT NULL DEFAULT '',
	to_number VARCHAR(40) NOT NULL DEFAULT '',
	to_name VARCHAR(200) NOT NULL DEFAULT '',
	to_extension VARCHAR(40) NOT NULL DEFAULT '',
	started_at BIGINT NOT NULL COMMENT 'Unix ms, as all times',
	ringing_at BIGINT NULL,
	answered_at BIGINT NULL,
	ended_at BIGINT NOT NULL,
	duration_ms BIGINT NOT NULL,
	talk_ms BIGINT NOT NULL,
	hold_ms BIGINT NOT NULL,
	result VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	cause SMALLINT NULL COMMENT 'Q.850',
	cause_text VARCHAR(200) NULL,
	hung_up_by VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
	hung_up_party VARCHAR(40) NULL,
	queue VARCHAR(80) NULL COMMENT 'the last one that it waited in',
	queue_joined_at BIGINT NULL,
	queue_wait_ms BIGINT NULL,
	queue_outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
	trunk VARCHAR(80) NULL,
	merged_into VARCHAR(150) CHARACTER SET ascii COLLATE ascii_bin NULL,
	requested_by VARCHAR(64) NULL,
	details MEDIUMTEXT NOT NULL COMMENT 'JSON: extensions, transfers, mergedFrom, timeline',
	PRIMARY KEY (started_at, call_id),
	UNIQUE KEY call_history_id (call_id),
	KEY call_history_queue (queue, started_at, call_id),
	KEY call_history_result (result, started_at, call_id),
	KEY call_history_batch (batch)
) CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS call_segments (
	call_id VARCHAR(150) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	number SMALLINT NOT NULL,
	batch BIGINT NOT NULL,
	kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	from_party VARCHAR(40) NOT NULL DEFAULT '',
	to_party VARCHAR(40) NOT NULL DEFAULT '',
	from_ours BOOLEAN NOT NULL COMMENT 'one of our extensions',
	to_ours BOOLEAN NOT NULL,
	queue VARCHAR(80) NULL COMMENT 'waited in, or rung by',
	wait_ms BIGINT NULL COMMENT 'kind queue: from joining to leaving',
	started_at BIGINT NOT NULL,
	joined_at BIGINT NULL,
	ringing_at BIGINT NULL,
	answered_at BIGINT NULL,
	ended_at BIGINT NOT NULL,
	talk_ms BIGINT NOT NULL,
	hold_ms BIGINT NOT NULL COMMENT 'of talk_ms',
	result VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
	cause SMALLINT NULL,
	PRIMARY KEY (call_id, number),
	KEY call_segments_batch (batch)
) CHARACTER SET utf8mb4;

-- Every number and extension that a call has to do with.
CREATE TABLE IF NOT EXISTS call_parties (
	party VARCHAR(40) NOT NULL,
	started_at BIGINT NOT NULL,
	call_id VARCHAR(150) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	ours BOOLEAN NOT NULL COMMENT 'an extension that was part of it: its agent may see the call',
	PRIMARY KEY (party, started_at, call_id),
	KEY call_parties_started (started_at)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS recordings (
	recording_id VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
	call_id VARCHAR(150) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	path VARCHAR(300) NOT NULL,
	started_at BIGINT NOT NULL,
	ended_at BIGINT NULL,
	duration_ms BIGINT NULL,
	bytes BIGINT NULL,
	sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
	by_party VARCHAR(40) NULL COMMENT 'who asked for it',
	KEY recordings_call (call_id),
	KEY recordings_started (started_at)
) CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS agent_time (
	extension VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	started_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	reason VARCHAR(80) NOT NULL DEFAULT '' COMMENT 'paused: why; wrap_up: after a call of this queue',
	PRIMARY KEY (extension, started_at),
	KEY agent_time_started (started_at)
) CHARACTER SET utf8mb4;
