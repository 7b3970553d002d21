ALTER TABLE stream_tickets DROP COLUMN session_id;
ALTER TABLE signing_keys DROP COLUMN signs_from;
DROP TABLE sessions;
