-- Sums by day anew from those by 15 minutes, after @step, @zone and @days (JSON: step, which is 0, at, until) were set: the zone of that step has changed.
-- MariaDB looks up the range of each day ("Range checked for each record") only where it can use nothing else of the index; else it reads all that there is for each.
DELETE FROM stats_queue WHERE step = @step;

DELETE FROM stats_agent WHERE step = @step;

DELETE FROM stats_trunk WHERE step = @step;

INSERT INTO stats_queue (step, at, name, offered, answered, abandoned, timed_out, answered_5, answered_10, answered_15, answered_20,
	answered_30, answered_45, answered_60, answered_90, answered_120, abandoned_3, abandoned_5, abandoned_10,
	abandoned_15, abandoned_20, abandoned_30, wait_ms, abandon_wait_ms, wait_max_ms, connected, talk_ms,
	hold_ms, wrap_up_ms)
SELECT @step, d.at, q.name, SUM(q.offered), SUM(q.answered), SUM(q.abandoned), SUM(q.timed_out), SUM(q.answered_5), SUM(q.answered_10),
	SUM(q.answered_15), SUM(q.answered_20), SUM(q.answered_30), SUM(q.answered_45), SUM(q.answered_60), SUM(q.answered_90),
	SUM(q.answered_120), SUM(q.abandoned_3), SUM(q.abandoned_5), SUM(q.abandoned_10), SUM(q.abandoned_15), SUM(q.abandoned_20),
	SUM(q.abandoned_30), SUM(q.wait_ms), SUM(q.abandon_wait_ms), MAX(q.wait_max_ms), SUM(q.connected), SUM(q.talk_ms),
	SUM(q.hold_ms), SUM(q.wrap_up_ms)
FROM JSON_TABLE(@days, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', until BIGINT PATH '$.until')) AS d STRAIGHT_JOIN stats_queue q FORCE INDEX (PRIMARY) ON q.step BETWEEN d.step AND d.step * 1 AND q.at >= d.at AND q.at < d.until
GROUP BY d.at, q.name;

INSERT INTO stats_agent (step, at, name, offered, answered, outgoing, outgoing_answered, ring_ms, talk_ms, hold_ms, available_ms,
	ringing_ms, busy_ms, wrap_up_ms, paused_ms)
SELECT @step, d.at, q.name, SUM(q.offered), SUM(q.answered), SUM(q.outgoing), SUM(q.outgoing_answered), SUM(q.ring_ms), SUM(q.talk_ms),
	SUM(q.hold_ms), SUM(q.available_ms), SUM(q.ringing_ms), SUM(q.busy_ms), SUM(q.wrap_up_ms), SUM(q.paused_ms)
FROM JSON_TABLE(@days, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', until BIGINT PATH '$.until')) AS d STRAIGHT_JOIN stats_agent q FORCE INDEX (PRIMARY) ON q.step BETWEEN d.step AND d.step * 1 AND q.at >= d.at AND q.at < d.until
GROUP BY d.at, q.name;

INSERT INTO stats_trunk (step, at, name, calls, inbound, outbound, answered, abandoned, failed, answer_wait_ms, talk_ms,
	hold_ms, duration_ms)
SELECT @step, d.at, q.name, SUM(q.calls), SUM(q.inbound), SUM(q.outbound), SUM(q.answered), SUM(q.abandoned), SUM(q.failed),
	SUM(q.answer_wait_ms), SUM(q.talk_ms), SUM(q.hold_ms), SUM(q.duration_ms)
FROM JSON_TABLE(@days, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', until BIGINT PATH '$.until')) AS d STRAIGHT_JOIN stats_trunk q FORCE INDEX (PRIMARY) ON q.step BETWEEN d.step AND d.step * 1 AND q.at >= d.at AND q.at < d.until
GROUP BY d.at, q.name;

REPLACE INTO stats_zone (id, zone) VALUES (@step, @zone);
