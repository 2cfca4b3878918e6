-- What is older than @before, a part at a time. Recordings go with their files, not here; sums stay.
DELETE FROM agent_time WHERE started_at < @before LIMIT 5000;

DELETE FROM history_batches WHERE number < @batch - 1000 LIMIT 5000;

DELETE s FROM call_segments s
JOIN (SELECT call_id FROM call_history WHERE started_at < @before ORDER BY started_at, call_id LIMIT 2000) AS old ON old.call_id = s.call_id;

DELETE p FROM call_parties p
JOIN (SELECT call_id, started_at FROM call_history WHERE started_at < @before ORDER BY started_at, call_id LIMIT 2000) AS old
	ON p.started_at = old.started_at AND p.call_id = old.call_id;

DELETE FROM call_history WHERE started_at < @before ORDER BY started_at, call_id LIMIT 2000;
