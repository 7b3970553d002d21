-- A row for each call of a language model, from before it is made. Costs are billionths of the currency.
CREATE TABLE assistant_calls (
  id uuid NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  -- What was spent stays when the key or the seller account goes.
  key_id uuid,
  seller_id uuid,
  request text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('chat', 'embedding')),
  model text NOT NULL,
  deployment text NOT NULL,
  state text NOT NULL CHECK (state IN ('reserved', 'settled', 'estimated', 'overrun', 'failed')),
  reserved_prompt bigint NOT NULL,
  reserved_completion bigint NOT NULL,
  reserved_cost bigint,
  prompt_tokens bigint NOT NULL,
  completion_tokens bigint NOT NULL,
  cached_tokens bigint NOT NULL,
  reasoning_tokens bigint NOT NULL,
  cost bigint,
  fault text,
  started_at timestamptz NOT NULL,
  first_at timestamptz,
  ended_at timestamptz,
  CHECK ((ended_at IS NULL) = (state = 'reserved'))
);
CREATE INDEX assistant_calls_person ON assistant_calls (user_id, started_at);
CREATE INDEX assistant_calls_open ON assistant_calls (started_at) WHERE state = 'reserved';
CREATE INDEX assistant_calls_ended ON assistant_calls (ended_at) WHERE ended_at IS NOT NULL;

-- What was spent by whom since when, reservations included.
CREATE TABLE assistant_windows (
  budget text NOT NULL,
  subject text NOT NULL,
  starts_at timestamptz NOT NULL,
  cost bigint NOT NULL,
  tokens bigint NOT NULL,
  calls bigint NOT NULL,
  PRIMARY KEY (budget, subject, starts_at)
);
CREATE INDEX assistant_windows_begin ON assistant_windows (starts_at);
