-- No foreign keys to events: a job outlives the event it is the reaction to, and may be purged before it.
CREATE TABLE jobs (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  kind text NOT NULL,
  payload text NOT NULL,
  priority integer NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'dead')),
  run_at text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  max_attempts integer NOT NULL,
  timeout_ms integer NOT NULL,
  dedup_key text,
  event_id blob,
  worker text,
  lease_until text,
  fence integer NOT NULL DEFAULT 0,
  stop_asked boolean NOT NULL DEFAULT FALSE,
  errors text NOT NULL DEFAULT '[]',
  created_at text NOT NULL,
  started_at text,
  finished_at text
);
CREATE UNIQUE INDEX jobs_key ON jobs (kind, dedup_key) WHERE dedup_key IS NOT NULL AND state IN ('waiting', 'running');
-- What is due of each kind and priority lies together.
CREATE INDEX jobs_due ON jobs (kind, priority, run_at, id) WHERE state = 'waiting';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_ended ON jobs (state, finished_at) WHERE finished_at IS NOT NULL;
-- Counting what waits, runs or is dead of each kind, and since when, needs nothing else.
CREATE INDEX jobs_state ON jobs (state, kind, run_at, id);
CREATE INDEX jobs_event ON jobs (event_id) WHERE event_id IS NOT NULL;

-- What consumers have dealt with: an event's id, or a job's.
CREATE TABLE inbox (
  consumer text NOT NULL,
  message_id blob NOT NULL,
  claimed_at text NOT NULL,
  PRIMARY KEY (consumer, message_id)
) WITHOUT ROWID;
CREATE INDEX inbox_age ON inbox (claimed_at);

-- How far each entry of the schedule was looked at.
CREATE TABLE schedules (
  name text NOT NULL PRIMARY KEY,
  looked_at text NOT NULL
) WITHOUT ROWID;
-- No foreign key: a run is shown longer than its job is kept.
CREATE TABLE schedule_runs (
  name text NOT NULL,
  tick text NOT NULL,
  by_hand boolean NOT NULL,
  job_id blob NOT NULL,
  PRIMARY KEY (name, tick)
) WITHOUT ROWID;
CREATE INDEX schedule_runs_age ON schedule_runs (tick);
