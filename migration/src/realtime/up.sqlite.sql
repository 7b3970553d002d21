-- Tickets with which a browser opens a stream, each once; kept by keyed digest.
CREATE TABLE stream_tickets (
  digest blob NOT NULL PRIMARY KEY,
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_until text NOT NULL,
  expires_at text NOT NULL
) WITHOUT ROWID;
CREATE INDEX stream_tickets_user ON stream_tickets (user_id);
CREATE INDEX stream_tickets_end ON stream_tickets (expires_at);
