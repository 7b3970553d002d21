-- Sign-ins that last. Refresh tokens are not stored: they are keyed hashes of the family, with a key that is not here.
CREATE TABLE sessions (
  id uuid NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  family bytea NOT NULL,
  generation integer NOT NULL,
  rotated_at timestamptz NOT NULL,
  device text,
  address text,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  idle_until timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  tokens_until timestamptz NOT NULL,
  ended_at timestamptz,
  ended_by text
);
CREATE INDEX sessions_user ON sessions (user_id, last_used_at);
-- What a node reads when it starts: those that are over before their time, by when the last token of theirs ends.
CREATE INDEX sessions_ended ON sessions (tokens_until) WHERE ended_at IS NOT NULL;
-- What is purged.
CREATE INDEX sessions_over ON sessions (idle_until);
-- Without one, what an older version of Souk made: a key signs from the beginning, a ticket is of no session.
ALTER TABLE signing_keys ADD COLUMN signs_from timestamptz;
ALTER TABLE stream_tickets ADD COLUMN session_id uuid;
