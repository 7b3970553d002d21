-- Endpoints that events of the shop are told to, and one message for each event and endpoint.
CREATE TABLE webhook_endpoints (
  id uuid NOT NULL PRIMARY KEY,
  owner text NOT NULL CHECK (owner IN ('person', 'seller', 'shop')),
  user_id uuid NOT NULL REFERENCES users (id),
  seller_id uuid REFERENCES sellers (id),
  url text NOT NULL,
  description text NOT NULL,
  types text NOT NULL,
  filter text NOT NULL,
  form text NOT NULL CHECK (form IN ('full', 'thin')),
  ordering text NOT NULL CHECK (ordering IN ('none', 'thing')),
  per_minute bigint CHECK (per_minute > 0),
  off_reason text CHECK (off_reason IN ('owner', 'failing', 'gone')),
  failing_since timestamptz,
  circuit_until timestamptz,
  rested_until timestamptz,
  spent_until timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK ((seller_id IS NOT NULL) = (owner = 'seller'))
);
CREATE INDEX webhook_endpoints_person ON webhook_endpoints (user_id);
CREATE INDEX webhook_endpoints_seller ON webhook_endpoints (seller_id);

CREATE TABLE webhook_secrets (
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  number bigint NOT NULL CHECK (number > 0),
  algorithm text NOT NULL CHECK (algorithm IN ('hmac-sha256', 'ed25519')),
  sealed bytea NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (endpoint_id, number)
);

CREATE TABLE webhook_messages (
  id uuid NOT NULL PRIMARY KEY,
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  event_id uuid,
  seq bigint NOT NULL,
  kind text NOT NULL,
  order_key uuid,
  body text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'sending', 'delivered', 'failed')),
  cause text CHECK (cause IN ('exhausted', 'aborted', 'gone', 'off')),
  attempts bigint NOT NULL,
  place bigint NOT NULL,
  next_attempt_at timestamptz,
  fence bigint NOT NULL,
  lease_until timestamptz,
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  CHECK ((finished_at IS NOT NULL) = (state IN ('delivered', 'failed')))
);
CREATE INDEX webhook_messages_endpoint ON webhook_messages (endpoint_id, id);
CREATE INDEX webhook_messages_due ON webhook_messages (endpoint_id, next_attempt_at, seq) WHERE state = 'waiting';
CREATE INDEX webhook_messages_lease ON webhook_messages (lease_until) WHERE state = 'sending';
CREATE INDEX webhook_messages_order ON webhook_messages (endpoint_id, order_key, seq)
  WHERE order_key IS NOT NULL AND finished_at IS NULL;

CREATE TABLE webhook_attempts (
  message_id uuid NOT NULL REFERENCES webhook_messages (id) ON DELETE CASCADE,
  number bigint NOT NULL CHECK (number > 0),
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  began_at timestamptz NOT NULL,
  millis bigint NOT NULL,
  status bigint,
  fault text,
  body text NOT NULL,
  PRIMARY KEY (message_id, number)
);
CREATE INDEX webhook_attempts_endpoint ON webhook_attempts (endpoint_id, began_at);

-- How far the log was looked at; what happened before there were endpoints is told to nobody.
CREATE TABLE webhook_cursor (
  id bigint NOT NULL PRIMARY KEY CHECK (id = 1),
  seq bigint NOT NULL
);
INSERT INTO webhook_cursor (id, seq) SELECT 1, coalesce(max(seq), 0) FROM events;
