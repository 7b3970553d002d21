-- What was given from what was kept is not known any more; it cost nothing.
CREATE TABLE assistant_calls_before AS SELECT * FROM assistant_calls WHERE state <> 'cached';
DROP TABLE assistant_calls;
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
INSERT INTO assistant_calls (id, user_id, key_id, seller_id, request, kind, model, deployment, state, reserved_prompt, reserved_completion, reserved_cost,
  prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, cost, fault, started_at, first_at, ended_at)
  SELECT id, user_id, key_id, seller_id, request, kind, model, deployment, state, reserved_prompt, reserved_completion, reserved_cost,
  prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, cost, fault, started_at, first_at, ended_at
  FROM assistant_calls_before;
DROP TABLE assistant_calls_before;
CREATE INDEX assistant_calls_person ON assistant_calls (user_id, started_at);
CREATE INDEX assistant_calls_open ON assistant_calls (started_at) WHERE state = 'reserved';
CREATE INDEX assistant_calls_ended ON assistant_calls (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX assistant_calls_began ON assistant_calls (started_at, id);
