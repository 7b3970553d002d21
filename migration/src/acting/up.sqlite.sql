-- An operator who acts as somebody else: a session of that person, begun from one of the operator's. Why stays with the session.
ALTER TABLE sessions ADD COLUMN impersonator_id blob REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN impersonator_session blob;
ALTER TABLE sessions ADD COLUMN impersonation_reason text;
CREATE INDEX sessions_impersonator ON sessions (impersonator_id, tokens_until) WHERE impersonator_id IS NOT NULL;
ALTER TABLE stream_tickets ADD COLUMN impersonator_id blob;
ALTER TABLE stream_tickets ADD COLUMN impersonator_session blob;
-- Who did it as the actor. No foreign key: entries outlive what they tell of.
ALTER TABLE audit_logs ADD COLUMN impersonator_id blob;
CREATE INDEX audit_logs_impersonator ON audit_logs (impersonator_id, id) WHERE impersonator_id IS NOT NULL;
-- When somebody is to be deleted, and since when they are a pseudonym.
ALTER TABLE users ADD COLUMN deletes_at text;
ALTER TABLE users ADD COLUMN deleted_at text;
