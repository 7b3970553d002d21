-- Files of questions and of what came of them. Their bytes lie in the store of files.
CREATE TABLE assistant_files (
  id uuid NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  -- The API key it was made through; keys go, and files stay.
  key_id uuid,
  purpose text NOT NULL CHECK (purpose IN ('batch', 'batch_output')),
  name text NOT NULL,
  digest bytea NOT NULL REFERENCES blobs (digest),
  size bigint NOT NULL CHECK (size >= 0),
  created_at timestamptz NOT NULL
);
CREATE INDEX assistant_files_person ON assistant_files (user_id, id);
CREATE INDEX assistant_files_blob ON assistant_files (digest);
CREATE INDEX assistant_files_age ON assistant_files (created_at);

-- Batches of questions. Files may go before them.
CREATE TABLE assistant_batches (
  id uuid NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  key_id uuid,
  seller_id uuid,
  input_id uuid NOT NULL,
  output_id uuid,
  refusals_id uuid,
  endpoint text NOT NULL,
  state text NOT NULL CHECK (state IN ('validating', 'failed', 'in_progress', 'finalizing', 'completed', 'expired', 'cancelling', 'cancelled')),
  -- What it is to be once its files are written.
  ending text,
  faults text NOT NULL,
  metadata text NOT NULL,
  -- Which job of its chain carries it, and which attempt of that job.
  round bigint NOT NULL,
  fence bigint NOT NULL,
  total bigint NOT NULL,
  completed bigint NOT NULL,
  failed bigint NOT NULL,
  prompt_tokens bigint NOT NULL,
  completion_tokens bigint NOT NULL,
  cached_tokens bigint NOT NULL,
  reasoning_tokens bigint NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  began_at timestamptz,
  cancelling_at timestamptz,
  finalizing_at timestamptz,
  ended_at timestamptz,
  CHECK ((ended_at IS NULL) = (state NOT IN ('failed', 'completed', 'expired', 'cancelled')))
);
CREATE INDEX assistant_batches_person ON assistant_batches (user_id, id);
CREATE INDEX assistant_batches_input ON assistant_batches (input_id) WHERE ended_at IS NULL;
CREATE INDEX assistant_batches_open ON assistant_batches (id) WHERE ended_at IS NULL;
CREATE INDEX assistant_batches_ended ON assistant_batches (ended_at) WHERE ended_at IS NOT NULL;

-- The lines of batches that are not over: where each stands in its file, and what came of it.
CREATE TABLE assistant_batch_lines (
  batch_id uuid NOT NULL REFERENCES assistant_batches (id) ON DELETE CASCADE,
  number bigint NOT NULL,
  custom_id text NOT NULL,
  begins bigint NOT NULL,
  ends bigint NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'answered', 'refused', 'unasked')),
  attempts bigint NOT NULL DEFAULT 0,
  due_at timestamptz,
  status bigint,
  request text,
  answer text,
  PRIMARY KEY (batch_id, number)
);
CREATE INDEX assistant_batch_lines_waiting ON assistant_batch_lines (batch_id, number) WHERE state = 'waiting';
