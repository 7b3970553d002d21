-- What models cost from a moment on, for a million tokens, in millionths of the currency. A row is never changed.
CREATE TABLE assistant_prices (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  deployment text NOT NULL,
  valid_from text NOT NULL,
  input integer NOT NULL,
  cached integer NOT NULL,
  output integer NOT NULL,
  reasoning integer NOT NULL,
  created_at text NOT NULL,
  UNIQUE (deployment, valid_from)
);

-- How much may be spent beside what the settings say. Costs are billionths of the currency.
CREATE TABLE assistant_budgets (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  name text NOT NULL UNIQUE,
  counted_by text NOT NULL CHECK (counted_by IN ('all', 'user', 'key', 'seller', 'model')),
  -- The person, key or seller account meant; what was set stays when they go.
  subject blob,
  span text NOT NULL CHECK (span IN ('second', 'minute', 'hour', 'day', 'week', 'month')),
  model text,
  cost integer,
  tokens integer,
  calls integer,
  created_at text NOT NULL,
  updated_at text NOT NULL,
  CHECK (cost IS NOT NULL OR tokens IS NOT NULL OR calls IS NOT NULL)
);

-- By which keys providers know us, each sealed for its provider.
CREATE TABLE provider_keys (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  provider text NOT NULL UNIQUE,
  sealed blob NOT NULL,
  hint text NOT NULL,
  set_at text NOT NULL
);

-- The models of the assistant that a key is for, as JSON; all when it is null.
ALTER TABLE api_keys ADD COLUMN models text;

CREATE INDEX assistant_calls_began ON assistant_calls (started_at, id);
