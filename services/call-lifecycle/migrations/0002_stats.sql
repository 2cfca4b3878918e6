-- Sums of the history; docs/metrics.md says what each column means.
-- answered_20: answered after at most 20 s of waiting. abandoned_5: given up after less than 5 s.

CREATE TABLE IF NOT EXISTS stats_zone (
	id TINYINT NOT NULL PRIMARY KEY,
	zone VARCHAR(64) NOT NULL
) CHARACTER SET ascii;

CREATE TABLE IF NOT EXISTS stats_queue (
	step TINYINT NOT NULL COMMENT '0: 15 minutes, 1: day of the zone in stats_zone',
	at BIGINT NOT NULL COMMENT 'its begin, Unix ms',
	name VARCHAR(80) NOT NULL,
	offered BIGINT NOT NULL DEFAULT 0, answered BIGINT NOT NULL DEFAULT 0, abandoned BIGINT NOT NULL DEFAULT 0, timed_out BIGINT NOT NULL DEFAULT 0,
	answered_5 BIGINT NOT NULL DEFAULT 0, answered_10 BIGINT NOT NULL DEFAULT 0, answered_15 BIGINT NOT NULL DEFAULT 0, answered_20 BIGINT NOT NULL DEFAULT 0,
	answered_30 BIGINT NOT NULL DEFAULT 0, answered_45 BIGINT NOT NULL DEFAULT 0, answered_60 BIGINT NOT NULL DEFAULT 0, answered_90 BIGINT NOT NULL DEFAULT 0,
	answered_120 BIGINT NOT NULL DEFAULT 0, abandoned_3 BIGINT NOT NULL DEFAULT 0, abandoned_5 BIGINT NOT NULL DEFAULT 0, abandoned_10 BIGINT NOT NULL DEFAULT 0,
	abandoned_15 BIGINT NOT NULL DEFAULT 0, abandoned_20 BIGINT NOT NULL DEFAULT 0, abandoned_30 BIGINT NOT NULL DEFAULT 0, wait_ms BIGINT NOT NULL DEFAULT 0,
	abandon_wait_ms BIGINT NOT NULL DEFAULT 0, wait_max_ms BIGINT NOT NULL DEFAULT 0, connected BIGINT NOT NULL DEFAULT 0, talk_ms BIGINT NOT NULL DEFAULT 0,
	hold_ms BIGINT NOT NULL DEFAULT 0, wrap_up_ms BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (step, at, name),
	KEY stats_queue_name (step, name, at)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT 'by queue';

CREATE TABLE IF NOT EXISTS stats_agent (
	step TINYINT NOT NULL COMMENT '0: 15 minutes, 1: day of the zone in stats_zone',
	at BIGINT NOT NULL COMMENT 'its begin, Unix ms',
	name VARCHAR(80) NOT NULL,
	offered BIGINT NOT NULL DEFAULT 0, answered BIGINT NOT NULL DEFAULT 0, outgoing BIGINT NOT NULL DEFAULT 0, outgoing_answered BIGINT NOT NULL DEFAULT 0,
	ring_ms BIGINT NOT NULL DEFAULT 0, talk_ms BIGINT NOT NULL DEFAULT 0, hold_ms BIGINT NOT NULL DEFAULT 0, available_ms BIGINT NOT NULL DEFAULT 0,
	ringing_ms BIGINT NOT NULL DEFAULT 0, busy_ms BIGINT NOT NULL DEFAULT 0, wrap_up_ms BIGINT NOT NULL DEFAULT 0, paused_ms BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (step, at, name),
	KEY stats_agent_name (step, name, at)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT 'by extension';

CREATE TABLE IF NOT EXISTS stats_trunk (
	step TINYINT NOT NULL COMMENT '0: 15 minutes, 1: day of the zone in stats_zone',
	at BIGINT NOT NULL COMMENT 'its begin, Unix ms',
	name VARCHAR(80) NOT NULL,
	calls BIGINT NOT NULL DEFAULT 0, inbound BIGINT NOT NULL DEFAULT 0, outbound BIGINT NOT NULL DEFAULT 0, answered BIGINT NOT NULL DEFAULT 0,
	abandoned BIGINT NOT NULL DEFAULT 0, failed BIGINT NOT NULL DEFAULT 0, answer_wait_ms BIGINT NOT NULL DEFAULT 0, talk_ms BIGINT NOT NULL DEFAULT 0,
	hold_ms BIGINT NOT NULL DEFAULT 0, duration_ms BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (step, at, name),
	KEY stats_trunk_name (step, name, at)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT 'by trunk; the empty name: all calls';
