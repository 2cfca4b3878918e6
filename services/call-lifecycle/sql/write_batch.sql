-- One batch of the history: statements that are run one after another in one transaction, after @batch and the lists in JSON were set.
-- Texts that are too long are cut, for nothing that came from outside may keep the rest of a batch out.

INSERT IGNORE INTO call_history (call_id, pbx, direction, from_number, from_name, from_extension,
	to_number, to_name, to_extension, started_at, ringing_at, answered_at,
	ended_at, duration_ms, talk_ms, hold_ms, result, cause,
	cause_text, hung_up_by, hung_up_party, queue, queue_joined_at, queue_wait_ms,
	queue_outcome, trunk, merged_into, requested_by, details, batch)
SELECT call_id, pbx, direction, COALESCE(from_number, ''), COALESCE(from_name, ''), COALESCE(from_extension, ''),
	COALESCE(to_number, ''), COALESCE(to_name, ''), COALESCE(to_extension, ''), started_at, ringing_at, answered_at,
	ended_at, duration_ms, talk_ms, hold_ms, result, cause,
	cause_text, hung_up_by, hung_up_party, queue, queue_joined_at, queue_wait_ms,
	queue_outcome, trunk, merged_into, requested_by, details, @batch
FROM JSON_TABLE(@calls, '$[*]' COLUMNS (
	call_id VARCHAR(200) PATH '$.i', pbx VARCHAR(200) PATH '$.pbx', direction VARCHAR(200) PATH '$.direction',
	from_number VARCHAR(200) PATH '$.fromNumber', from_name TEXT PATH '$.fromName', from_extension VARCHAR(200) PATH '$.fromExtension',
	to_number VARCHAR(200) PATH '$.toNumber', to_name TEXT PATH '$.toName', to_extension VARCHAR(200) PATH '$.toExtension',
	started_at BIGINT PATH '$.s', ringing_at BIGINT PATH '$.ringing', answered_at BIGINT PATH '$.answered',
	ended_at BIGINT PATH '$.ended', duration_ms BIGINT PATH '$.duration', talk_ms BIGINT PATH '$.talk',
	hold_ms BIGINT PATH '$.hold', result VARCHAR(200) PATH '$.result', cause BIGINT PATH '$.cause',
	cause_text TEXT PATH '$.causeText', hung_up_by VARCHAR(200) PATH '$.by', hung_up_party VARCHAR(200) PATH '$.byParty',
	queue VARCHAR(200) PATH '$.queue', queue_joined_at BIGINT PATH '$.queueJoined', queue_wait_ms BIGINT PATH '$.queueWait',
	queue_outcome VARCHAR(200) PATH '$.queueOutcome', trunk VARCHAR(200) PATH '$.trunk', merged_into VARCHAR(200) PATH '$.mergedInto',
	requested_by VARCHAR(200) PATH '$.requestedBy', details MEDIUMTEXT PATH '$.details')) AS j;

INSERT IGNORE INTO call_segments (call_id, number, kind, from_party, to_party, from_ours,
	to_ours, queue, wait_ms, started_at, joined_at, ringing_at,
	answered_at, ended_at, talk_ms, hold_ms, result, cause,
	batch)
SELECT call_id, number, COALESCE(kind, ''), COALESCE(from_party, ''), COALESCE(to_party, ''), from_ours,
	to_ours, queue, wait_ms, started_at, joined_at, ringing_at,
	answered_at, ended_at, talk_ms, hold_ms, result, cause,
	@batch
FROM JSON_TABLE(@segments, '$[*]' COLUMNS (
	call_id VARCHAR(200) PATH '$.i', number BIGINT PATH '$.n', kind VARCHAR(200) PATH '$.kind',
	from_party VARCHAR(200) PATH '$.from', to_party VARCHAR(200) PATH '$.to', from_ours BIGINT PATH '$.fromOurs',
	to_ours BIGINT PATH '$.toOurs', queue VARCHAR(200) PATH '$.queue', wait_ms BIGINT PATH '$.wait',
	started_at BIGINT PATH '$.s', joined_at BIGINT PATH '$.joined', ringing_at BIGINT PATH '$.ringing',
	answered_at BIGINT PATH '$.answered', ended_at BIGINT PATH '$.ended', talk_ms BIGINT PATH '$.talk',
	hold_ms BIGINT PATH '$.hold', result VARCHAR(200) PATH '$.result', cause BIGINT PATH '$.cause')) AS j;

INSERT IGNORE INTO call_parties (party, started_at, call_id, ours)
SELECT party, started_at, call_id, ours
FROM JSON_TABLE(@parties, '$[*]' COLUMNS (
	party VARCHAR(200) PATH '$.p', started_at BIGINT PATH '$.s', call_id VARCHAR(200) PATH '$.i',
	ours BIGINT PATH '$.o')) AS j;

INSERT IGNORE INTO recordings (recording_id, call_id, path, started_at, ended_at, duration_ms,
	bytes, sha256, by_party)
SELECT recording_id, call_id, COALESCE(path, ''), started_at, ended_at, duration_ms,
	bytes, sha256, by_party
FROM JSON_TABLE(@recordings, '$[*]' COLUMNS (
	recording_id VARCHAR(200) PATH '$.r', call_id VARCHAR(200) PATH '$.i', path TEXT PATH '$.path',
	started_at BIGINT PATH '$.s', ended_at BIGINT PATH '$.ended', duration_ms BIGINT PATH '$.duration',
	bytes BIGINT PATH '$.bytes', sha256 VARCHAR(200) PATH '$.sha256', by_party VARCHAR(200) PATH '$.by')) AS j;

INSERT IGNORE INTO agent_time (extension, started_at, ended_at, state, reason)
SELECT extension, started_at, ended_at, state, COALESCE(reason, '')
FROM JSON_TABLE(@spans, '$[*]' COLUMNS (
	extension VARCHAR(200) PATH '$.x', started_at BIGINT PATH '$.s', ended_at BIGINT PATH '$.e',
	state VARCHAR(200) PATH '$.state', reason VARCHAR(200) PATH '$.reason')) AS j;

-- Callers of queues.
INSERT INTO stats_queue (step, at, name, offered, answered, abandoned, timed_out, answered_5, answered_10,
	answered_15, answered_20, answered_30, answered_45, answered_60, answered_90,
	answered_120, abandoned_3, abandoned_5, abandoned_10, abandoned_15, abandoned_20,
	abandoned_30, wait_ms, abandon_wait_ms, wait_max_ms)
SELECT b.step, b.at, s.queue AS name_of, COUNT(*), SUM(s.result = 'answered'),
	SUM(s.result = 'abandoned'), SUM(s.result NOT IN ('answered', 'abandoned')),
	SUM(s.result = 'answered' AND s.wait_ms <= 5000), SUM(s.result = 'answered' AND s.wait_ms <= 10000),
	SUM(s.result = 'answered' AND s.wait_ms <= 15000), SUM(s.result = 'answered' AND s.wait_ms <= 20000),
	SUM(s.result = 'answered' AND s.wait_ms <= 30000), SUM(s.result = 'answered' AND s.wait_ms <= 45000),
	SUM(s.result = 'answered' AND s.wait_ms <= 60000), SUM(s.result = 'answered' AND s.wait_ms <= 90000),
	SUM(s.result = 'answered' AND s.wait_ms <= 120000), SUM(s.result = 'abandoned' AND s.wait_ms < 3000),
	SUM(s.result = 'abandoned' AND s.wait_ms < 5000), SUM(s.result = 'abandoned' AND s.wait_ms < 10000),
	SUM(s.result = 'abandoned' AND s.wait_ms < 15000), SUM(s.result = 'abandoned' AND s.wait_ms < 20000),
	SUM(s.result = 'abandoned' AND s.wait_ms < 30000), SUM(IF(s.result = 'answered', s.wait_ms, 0)),
	SUM(IF(s.result = 'abandoned', s.wait_ms, 0)), MAX(s.wait_ms)
FROM call_segments s JOIN JSON_TABLE(@steps, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', until BIGINT PATH '$.until')) AS b
	ON s.started_at >= b.at AND s.started_at < b.until
WHERE s.batch = @batch AND s.kind = 'queue' AND s.wait_ms IS NOT NULL AND s.queue IS NOT NULL
GROUP BY b.step, b.at, name_of
ON DUPLICATE KEY UPDATE offered = offered + VALUES(offered), answered = answered + VALUES(answered), abandoned = abandoned + VALUES(abandoned),
	timed_out = timed_out + VALUES(timed_out), answered_5 = answered_5 + VALUES(answered_5), answered_10 = answered_10 + VALUES(answered_10),
	answered_15 = answered_15 + VALUES(answered_15), answered_20 = answered_20 + VALUES(answered_20), answered_30 = answered_30 + VALUES(answered_30),
	answered_45 = answered_45 + VALUES(answered_45), answered_60 = answered_60 + VALUES(answered_60), answered_90 = answered_90 + VALUES(answered_90),
	answered_120 = answered_120 + VALUES(answered_120), abandoned_3 = abandoned_3 + VALUES(abandoned_3), abandoned_5 = abandoned_5 + VALUES(abandoned_5),
	abandoned_10 = abandoned_10 + VALUES(abandoned_10), abandoned_15 = abandoned_15 + VALUES(abandoned_15), abandoned_20 = abandoned_20 + VALUES(abandoned_20),
	abandoned_30 = abandoned_30 + VALUES(abandoned_30), wait_ms = wait_ms + VALUES(wait_ms), abandon_wait_ms = abandon_wait_ms + VALUES(abandon_wait_ms),
	wait_max_ms = GREATEST(wait_max_ms, VALUES(wait_max_ms));

-- What agents spoke with them.
INSERT INTO stats_queue (step, at, name, connected, talk_ms, hold_ms)
SELECT b.step, b.at, s.queue AS name_of, COUNT(*), SUM(s.talk_ms),
	SUM(s.hold_ms)
FROM call_segments s JOIN JSON_TABLE(@steps, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', until BIGINT PATH '$.until')) AS b
	ON s.started_at >= b.at AND s.started_at < b.until
WHERE s.batch = @batch AND s.kind <> 'queue' AND s.queue IS NOT NULL AND s.result = 'answered'
GROUP BY b.step, b.at, name_of
ON DUPLICATE KEY UPDATE connected = connected + VALUES(connected), talk_ms = talk_ms + VALUES(talk_ms), hold_ms = hold_ms + VALUES(hold_ms);

-- Agents who were rung.
INSERT INTO stats_agent (step, at, name, offered, answered, ring_ms, talk_ms, hold_ms)
SELECT b.step, b.at, s.to_party AS name_of, COUNT(*), SUM(s.result = 'answered'),
	SUM(COALESCE(COALESCE(s.answered_at, s.ended_at) - s.ringing_at, 0)), SUM(s.talk_ms),
	SUM(s.hold_ms)
FROM call_segments s JOIN JSON_TABLE(@steps, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', until BIGINT PATH '$.until')) AS b
	ON s.started_at >= b.at AND s.started_at < b.until
WHERE s.batch = @batch AND s.to_ours AND (s.ringing_at IS NOT NULL OR s.result = 'answered') AND s.kind IN ('dial', 'transfer', 'consultation')
GROUP BY b.step, b.at, name_of
ON DUPLICATE KEY UPDATE offered = offered + VALUES(offered), answered = answered + VALUES(answered), ring_ms = ring_ms + VALUES(ring_ms),
	talk_ms = talk_ms + VALUES(talk_ms), hold_ms = hold_ms + VALUES(hold_ms);

-- Agents who rang others.
INSERT INTO stats_agent (step, at, name, outgoing, outgoing_answered, talk_ms, hold_ms)
SELECT b.step, b.at, s.from_party AS name_of, COUNT(*), SUM(s.result = 'answered'),
	SUM(s.talk_ms), SUM(s.hold_ms)
FROM call_segments s JOIN JSON_TABLE(@steps, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', until BIGINT PATH '$.until')) AS b
	ON s.started_at >= b.at AND s.started_at < b.until
WHERE s.batch = @batch AND s.from_ours AND s.to_party <> '' AND s.kind IN ('dial', 'transfer', 'consultation')
GROUP BY b.step, b.at, name_of
ON DUPLICATE KEY UPDATE outgoing = outgoing + VALUES(outgoing), outgoing_answered = outgoing_answered + VALUES(outgoing_answered), talk_ms = talk_ms + VALUES(talk_ms),
	hold_ms = hold_ms + VALUES(hold_ms);

-- All calls.
INSERT INTO stats_trunk (step, at, name, calls, inbound, outbound, answered, abandoned, failed,
	answer_wait_ms, talk_ms, hold_ms, duration_ms)
SELECT b.step, b.at, '' AS name_of, COUNT(*), SUM(s.direction = 'inbound'),
	SUM(s.direction = 'outbound'), SUM(s.result = 'answered'),
	SUM(s.result IN ('abandoned', 'cancelled')), SUM(s.result IN ('failed', 'unreachable', 'reconciled')),
	SUM(IF(s.result = 'answered', COALESCE(s.answered_at - s.started_at, 0), 0)), SUM(s.talk_ms),
	SUM(s.hold_ms), SUM(s.duration_ms)
FROM call_history s JOIN JSON_TABLE(@steps, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', until BIGINT PATH '$.until')) AS b
	ON s.started_at >= b.at AND s.started_at < b.until
WHERE s.batch = @batch AND s.merged_into IS NULL
GROUP BY b.step, b.at, name_of
ON DUPLICATE KEY UPDATE calls = calls + VALUES(calls), inbound = inbound + VALUES(inbound), outbound = outbound + VALUES(outbound),
	answered = answered + VALUES(answered), abandoned = abandoned + VALUES(abandoned), failed = failed + VALUES(failed),
	answer_wait_ms = answer_wait_ms + VALUES(answer_wait_ms), talk_ms = talk_ms + VALUES(talk_ms), hold_ms = hold_ms + VALUES(hold_ms),
	duration_ms = duration_ms + VALUES(duration_ms);

-- Calls by trunk.
INSERT INTO stats_trunk (step, at, name, calls, inbound, outbound, answered, abandoned, failed,
	answer_wait_ms, talk_ms, hold_ms, duration_ms)
SELECT b.step, b.at, s.trunk AS name_of, COUNT(*), SUM(s.direction = 'inbound'),
	SUM(s.direction = 'outbound'), SUM(s.result = 'answered'),
	SUM(s.result IN ('abandoned', 'cancelled')), SUM(s.result IN ('failed', 'unreachable', 'reconciled')),
	SUM(IF(s.result = 'answered', COALESCE(s.answered_at - s.started_at, 0), 0)), SUM(s.talk_ms),
	SUM(s.hold_ms), SUM(s.duration_ms)
FROM call_history s JOIN JSON_TABLE(@steps, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', until BIGINT PATH '$.until')) AS b
	ON s.started_at >= b.at AND s.started_at < b.until
WHERE s.batch = @batch AND s.merged_into IS NULL AND s.trunk IS NOT NULL
GROUP BY b.step, b.at, name_of
ON DUPLICATE KEY UPDATE calls = calls + VALUES(calls), inbound = inbound + VALUES(inbound), outbound = outbound + VALUES(outbound),
	answered = answered + VALUES(answered), abandoned = abandoned + VALUES(abandoned), failed = failed + VALUES(failed),
	answer_wait_ms = answer_wait_ms + VALUES(answer_wait_ms), talk_ms = talk_ms + VALUES(talk_ms), hold_ms = hold_ms + VALUES(hold_ms),
	duration_ms = duration_ms + VALUES(duration_ms);

-- Agents' time.
INSERT INTO stats_agent (step, at, name, available_ms, ringing_ms, busy_ms, wrap_up_ms, paused_ms)
SELECT p.step, p.at, p.extension, SUM(COALESCE(p.available, 0)), SUM(COALESCE(p.ringing, 0)), SUM(COALESCE(p.busy, 0)),
	SUM(COALESCE(p.wrap_up, 0)), SUM(COALESCE(p.paused, 0))
FROM JSON_TABLE(@pieces, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', extension VARCHAR(80) PATH '$.x', queue VARCHAR(80) PATH '$.queue',
	available BIGINT PATH '$.available', ringing BIGINT PATH '$.ringing', busy BIGINT PATH '$.busy',
	wrap_up BIGINT PATH '$.wrap_up', paused BIGINT PATH '$.paused')) AS p
WHERE p.extension IS NOT NULL
GROUP BY p.step, p.at, p.extension
ON DUPLICATE KEY UPDATE available_ms = available_ms + VALUES(available_ms), ringing_ms = ringing_ms + VALUES(ringing_ms), busy_ms = busy_ms + VALUES(busy_ms),
	wrap_up_ms = wrap_up_ms + VALUES(wrap_up_ms), paused_ms = paused_ms + VALUES(paused_ms);

-- Wrap-up after a queue's calls.
INSERT INTO stats_queue (step, at, name, wrap_up_ms)
SELECT p.step, p.at, p.queue, SUM(COALESCE(p.wrap_up, 0))
FROM JSON_TABLE(@pieces, '$[*]' COLUMNS (step BIGINT PATH '$.step', at BIGINT PATH '$.at', extension VARCHAR(80) PATH '$.x', queue VARCHAR(80) PATH '$.queue',
	wrap_up BIGINT PATH '$.wrap_up')) AS p
WHERE p.queue IS NOT NULL
GROUP BY p.step, p.at, p.queue
ON DUPLICATE KEY UPDATE wrap_up_ms = wrap_up_ms + VALUES(wrap_up_ms);

-- The connection goes on to other work.
SET @calls = NULL, @segments = NULL, @parties = NULL, @recordings = NULL, @spans = NULL, @pieces = NULL, @steps = NULL;
