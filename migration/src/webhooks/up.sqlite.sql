-- Endpoints that events of the shop are told to, and one message for each event and endpoint.
CREATE TABLE webhook_endpoints (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  owner text NOT NULL CHECK (owner IN ('person', 'seller', 'shop')),
  user_id blob NOT NULL REFERENCES users (id),
  seller_id blob REFERENCES sellers (id),
  url text NOT NULL,
  description text NOT NULL,
  types text NOT NULL,
  filter text NOT NULL,
  form text NOT NULL CHECK (form IN ('full', 'thin')),
  ordering text NOT NULL CHECK (ordering IN ('none', 'thing')),
  per_minute integer CHECK (per_minute > 0),
  off_reason text CHECK (off_reason IN ('owner', 'failing', 'gone')),
  failing_since text,
  circuit_until text,
  rested_until text,
  spent_until text,
  created_at text NOT NULL,
  updated_at text NOT NULL,
  CHECK ((seller_id IS NOT NULL) = (owner = 'seller'))
);
CREATE INDEX webhook_endpoints_person ON webhook_endpoints (user_id);
CREATE INDEX webhook_endpoints_seller ON webhook_endpoints (seller_id);

CREATE TABLE webhook_secrets (
  endpoint_id blob NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  number integer NOT NULL CHECK (number > 0),
  algorithm text NOT NULL CHECK (algorithm IN ('hmac-sha256', 'ed25519')),
  sealed blob NOT NULL,
  created_at text NOT NULL,
  expires_at text,
  PRIMARY KEY (endpoint_id, number)
);

CREATE TABLE webhook_messages (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  endpoint_id blob NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  event_id blob,
  seq integer NOT NULL,
  kind text NOT NULL,
  order_key blob,
  body text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'sending', 'delivered', 'failed')),
  cause text CHECK (cause IN ('exhausted', 'aborted', 'gone', 'off')),
  attempts integer NOT NULL,
  place integer NOT NULL,
  next_attempt_at text,
  fence integer NOT NULL,
  lease_until text,
  created_at text NOT NULL,
  finished_at text,
  CHECK ((finished_at IS NOT NULL) = (state IN ('delivered', 'failed')))
);
CREATE INDEX webhook_messages_endpoint ON webhook_messages (endpoint_id, id);
CREATE INDEX webhook_messages_due ON webhook_messages (endpoint_id, next_attempt_at, seq) WHERE state = 'waiting';
CREATE INDEX webhook_messages_lease ON webhook_messages (lease_until) WHERE state = 'sending';
CREATE INDEX webhook_messages_order ON webhook_messages (endpoint_id, order_key, seq)
  WHERE order_key IS NOT NULL AND finished_at IS NULL;

CREATE TABLE webhook_attempts (
  message_id blob NOT NULL REFERENCES webhook_messages (id) ON DELETE CASCADE,
  number integer NOT NULL CHECK (number > 0),
  endpoint_id blob NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  began_at text NOT NULL,
  millis integer NOT NULL,
  status integer,
  fault text,
  body text NOT NULL,
  PRIMARY KEY (message_id, number)
);
CREATE INDEX webhook_attempts_endpoint ON webhook_attempts (endpoint_id, began_at);

-- How far the log was looked at; what happened before there were endpoints is told to nobody.
CREATE TABLE webhook_cursor (
  id integer NOT NULL PRIMARY KEY CHECK (id = 1),
  seq integer NOT NULL
);
INSERT INTO webhook_cursor (id, seq) SELECT 1, coalesce(max(seq), 0) FROM events;
