DELETE FROM stream_tickets WHERE impersonator_id IS NOT NULL;
ALTER TABLE stream_tickets DROP COLUMN impersonator_session;
ALTER TABLE stream_tickets DROP COLUMN impersonator_id;
DROP INDEX audit_logs_impersonator;
ALTER TABLE audit_logs DROP COLUMN impersonator_id;
-- What an operator began as somebody else would be a session of that person.
DELETE FROM sessions WHERE impersonator_id IS NOT NULL;
DROP INDEX sessions_impersonator;
ALTER TABLE sessions DROP COLUMN impersonation_reason;
ALTER TABLE sessions DROP COLUMN impersonator_session;
ALTER TABLE sessions DROP COLUMN impersonator_id;
ALTER TABLE users DROP COLUMN deleted_at;
ALTER TABLE users DROP COLUMN deletes_at;
