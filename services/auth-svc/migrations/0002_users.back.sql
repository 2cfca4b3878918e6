-- Loses everybody who can log in, their teams, and the audit. What Asterisk reads stays.

DROP TABLE IF EXISTS audit;
DROP TABLE IF EXISTS users;
DROP TABLE IF EXISTS teams;
