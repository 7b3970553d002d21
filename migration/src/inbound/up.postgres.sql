-- Webhooks that came in. What one is known again by is unique within its source.
CREATE TABLE hook_events (
  id uuid NOT NULL PRIMARY KEY,
  source text NOT NULL,
  known_by text NOT NULL,
  event text,
  kind text,
  occurred_at timestamptz,
  received_at timestamptz NOT NULL,
  headers text NOT NULL,
  size bigint NOT NULL CHECK (size >= 0),
  body bytea,
  state text NOT NULL CHECK (state IN ('waiting', 'done', 'ignored')),
  outcome text,
  user_id uuid REFERENCES users (id) ON DELETE SET NULL,
  job_id uuid NOT NULL,
  handled_at timestamptz,
  replays bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX hook_events_known ON hook_events (source, known_by);
CREATE INDEX hook_events_kind ON hook_events (kind, id);
CREATE INDEX hook_events_waiting ON hook_events (id) WHERE state = 'waiting';
CREATE INDEX hook_events_age ON hook_events (received_at);
CREATE INDEX hook_events_user ON hook_events (user_id);

-- What was last told of people elsewhere, by a digest of who they are there.
CREATE TABLE foreign_standings (
  digest bytea NOT NULL PRIMARY KEY,
  told_at timestamptz,
  barred boolean NOT NULL DEFAULT FALSE,
  gone boolean NOT NULL DEFAULT FALSE
);
