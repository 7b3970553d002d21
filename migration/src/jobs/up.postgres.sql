-- No foreign keys to events: a job outlives the event it is the reaction to, and may be purged before it.
CREATE TABLE jobs (
  id uuid NOT NULL PRIMARY KEY,
  kind text NOT NULL,
  payload jsonb NOT NULL,
  priority integer NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'dead')),
  run_at timestamptz NOT NULL,
  attempts bigint NOT NULL DEFAULT 0,
  max_attempts bigint NOT NULL,
  timeout_ms bigint NOT NULL,
  dedup_key text,
  event_id uuid,
  worker text,
  lease_until timestamptz,
  fence bigint NOT NULL DEFAULT 0,
  stop_asked boolean NOT NULL DEFAULT FALSE,
  errors jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz
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
  message_id uuid NOT NULL,
  claimed_at timestamptz NOT NULL,
  PRIMARY KEY (consumer, message_id)
);
CREATE INDEX inbox_age ON inbox (claimed_at);

-- How far each entry of the schedule was looked at.
CREATE TABLE schedules (
  name text NOT NULL PRIMARY KEY,
  looked_at timestamptz NOT NULL
);
-- No foreign key: a run is shown longer than its job is kept.
CREATE TABLE schedule_runs (
  name text NOT NULL,
  tick timestamptz NOT NULL,
  by_hand boolean NOT NULL,
  job_id uuid NOT NULL,
  PRIMARY KEY (name, tick)
);
CREATE INDEX schedule_runs_age ON schedule_runs (tick);
