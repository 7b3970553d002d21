-- Webhooks that came in. What one is known again by is unique within its source.
CREATE TABLE hook_events (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  source text NOT NULL,
  known_by text NOT NULL,
  event text,
  kind text,
  occurred_at text,
  received_at text NOT NULL,
  headers text NOT NULL,
  size integer NOT NULL CHECK (size >= 0),
  state text NOT NULL CHECK (state IN ('waiting', 'done', 'ignored')),
  outcome text,
  user_id blob REFERENCES users (id) ON DELETE SET NULL,
  job_id blob NOT NULL,
  handled_at text,
  replays integer NOT NULL DEFAULT 0,
  -- Last, so that a list reads past no body.
  body blob
);
CREATE UNIQUE INDEX hook_events_known ON hook_events (source, known_by);
CREATE INDEX hook_events_kind ON hook_events (kind, id);
CREATE INDEX hook_events_waiting ON hook_events (id) WHERE state = 'waiting';
CREATE INDEX hook_events_age ON hook_events (received_at);
CREATE INDEX hook_events_user ON hook_events (user_id);

-- What was last told of people elsewhere, by a digest of who they are there.
CREATE TABLE foreign_standings (
  digest blob NOT NULL PRIMARY KEY,
  told_at text,
  barred boolean NOT NULL DEFAULT FALSE,
  gone boolean NOT NULL DEFAULT FALSE
) WITHOUT ROWID;
