-- A row for each call of a language model, from before it is made. Costs are billionths of the currency.
CREATE TABLE assistant_calls (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  user_id blob NOT NULL REFERENCES users (id),
  -- What was spent stays when the key or the seller account goes.
  key_id blob,
  seller_id blob,
  request text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('chat', 'embedding')),
  model text NOT NULL,
  deployment text NOT NULL,
  state text NOT NULL CHECK (state IN ('reserved', 'settled', 'estimated', 'overrun', 'failed')),
  reserved_prompt integer NOT NULL,
  reserved_completion integer NOT NULL,
  reserved_cost integer,
  prompt_tokens integer NOT NULL,
  completion_tokens integer NOT NULL,
  cached_tokens integer NOT NULL,
  reasoning_tokens integer NOT NULL,
  cost integer,
  fault text,
  started_at text NOT NULL,
  first_at text,
  ended_at text,
  CHECK ((ended_at IS NULL) = (state = 'reserved'))
);
CREATE INDEX assistant_calls_person ON assistant_calls (user_id, started_at);
CREATE INDEX assistant_calls_open ON assistant_calls (started_at) WHERE state = 'reserved';
CREATE INDEX assistant_calls_ended ON assistant_calls (ended_at) WHERE ended_at IS NOT NULL;

-- What was spent by whom since when, reservations included.
CREATE TABLE assistant_windows (
  budget text NOT NULL,
  subject text NOT NULL,
  starts_at text NOT NULL,
  cost integer NOT NULL,
  tokens integer NOT NULL,
  calls integer NOT NULL,
  PRIMARY KEY (budget, subject, starts_at)
);
CREATE INDEX assistant_windows_begin ON assistant_windows (starts_at);
