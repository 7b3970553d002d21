-- What models cost from a moment on, for a million tokens, in millionths of the currency. A row is never changed.
CREATE TABLE assistant_prices (
  id uuid NOT NULL PRIMARY KEY,
  deployment text NOT NULL,
  valid_from timestamptz NOT NULL,
  input bigint NOT NULL,
  cached bigint NOT NULL,
  output bigint NOT NULL,
  reasoning bigint NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (deployment, valid_from)
);

-- How much may be spent beside what the settings say. Costs are billionths of the currency.
CREATE TABLE assistant_budgets (
  id uuid NOT NULL PRIMARY KEY,
  name text NOT NULL UNIQUE,
  counted_by text NOT NULL CHECK (counted_by IN ('all', 'user', 'key', 'seller', 'model')),
  -- The person, key or seller account meant; what was set stays when they go.
  subject uuid,
  span text NOT NULL CHECK (span IN ('second', 'minute', 'hour', 'day', 'week', 'month')),
  model text,
  cost bigint,
  tokens bigint,
  calls bigint,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK (cost IS NOT NULL OR tokens IS NOT NULL OR calls IS NOT NULL)
);

-- By which keys providers know us, each sealed for its provider.
CREATE TABLE provider_keys (
  id uuid NOT NULL PRIMARY KEY,
  provider text NOT NULL UNIQUE,
  sealed bytea NOT NULL,
  hint text NOT NULL,
  set_at timestamptz NOT NULL
);

-- The models of the assistant that a key is for, as JSON; all when it is null.
ALTER TABLE api_keys ADD COLUMN models text;

CREATE INDEX assistant_calls_began ON assistant_calls (started_at, id);
