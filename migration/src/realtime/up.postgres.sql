-- Tickets with which a browser opens a stream, each once; kept by keyed digest.
CREATE TABLE stream_tickets (
  digest bytea NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_until timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX stream_tickets_user ON stream_tickets (user_id);
CREATE INDEX stream_tickets_end ON stream_tickets (expires_at);
