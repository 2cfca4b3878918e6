-- Loses the sums of all calls until now; the calls themselves stay in the history.

DROP TABLE IF EXISTS stats_zone;
DROP TABLE IF EXISTS stats_queue;
DROP TABLE IF EXISTS stats_agent;
DROP TABLE IF EXISTS stats_trunk;
