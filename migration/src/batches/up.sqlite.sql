-- Files of questions and of what came of them. Their bytes lie in the store of files.
CREATE TABLE assistant_files (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  user_id blob NOT NULL REFERENCES users (id),
  -- The API key it was made through; keys go, and files stay.
  key_id blob,
  purpose text NOT NULL CHECK (purpose IN ('batch', 'batch_output')),
  name text NOT NULL,
  digest blob NOT NULL REFERENCES blobs (digest),
  size integer NOT NULL CHECK (size >= 0),
  created_at text NOT NULL
);
CREATE INDEX assistant_files_person ON assistant_files (user_id, id);
CREATE INDEX assistant_files_blob ON assistant_files (digest);
CREATE INDEX assistant_files_age ON assistant_files (created_at);

-- Batches of questions. Files may go before them.
CREATE TABLE assistant_batches (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  user_id blob NOT NULL REFERENCES users (id),
  key_id blob,
  seller_id blob,
  input_id blob NOT NULL,
  output_id blob,
  refusals_id blob,
  endpoint text NOT NULL,
  state text NOT NULL CHECK (state IN ('validating', 'failed', 'in_progress', 'finalizing', 'completed', 'expired', 'cancelling', 'cancelled')),
  -- What it is to be once its files are written.
  ending text,
  faults text NOT NULL,
  metadata text NOT NULL,
  -- Which job of its chain carries it, and which attempt of that job.
  round integer NOT NULL,
  fence integer NOT NULL,
  total integer NOT NULL,
  completed integer NOT NULL,
  failed integer NOT NULL,
  prompt_tokens integer NOT NULL,
  completion_tokens integer NOT NULL,
  cached_tokens integer NOT NULL,
  reasoning_tokens integer NOT NULL,
  created_at text NOT NULL,
  expires_at text NOT NULL,
  began_at text,
  cancelling_at text,
  finalizing_at text,
  ended_at text,
  CHECK ((ended_at IS NULL) = (state NOT IN ('failed', 'completed', 'expired', 'cancelled')))
);
CREATE INDEX assistant_batches_person ON assistant_batches (user_id, id);
CREATE INDEX assistant_batches_input ON assistant_batches (input_id) WHERE ended_at IS NULL;
CREATE INDEX assistant_batches_open ON assistant_batches (id) WHERE ended_at IS NULL;
CREATE INDEX assistant_batches_ended ON assistant_batches (ended_at) WHERE ended_at IS NOT NULL;

-- The lines of batches that are not over: where each stands in its file, and what came of it.
CREATE TABLE assistant_batch_lines (
  batch_id blob NOT NULL REFERENCES assistant_batches (id) ON DELETE CASCADE,
  number integer NOT NULL,
  custom_id text NOT NULL,
  begins integer NOT NULL,
  ends integer NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'answered', 'refused', 'unasked')),
  attempts integer NOT NULL DEFAULT 0,
  due_at text,
  status integer,
  request text,
  answer text,
  PRIMARY KEY (batch_id, number)
);
CREATE INDEX assistant_batch_lines_waiting ON assistant_batch_lines (batch_id, number) WHERE state = 'waiting';
