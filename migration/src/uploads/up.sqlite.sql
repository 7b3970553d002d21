-- Uploads that go on where they broke off. Each portion is held in the store by itself until the whole is.
CREATE TABLE uploads (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  user_id blob NOT NULL REFERENCES users (id),
  seller_id blob NOT NULL REFERENCES sellers (id),
  purpose text NOT NULL,
  length integer NOT NULL CHECK (length >= 0),
  position integer NOT NULL CHECK (position BETWEEN 0 AND length),
  state text NOT NULL CHECK (state IN ('receiving', 'finishing', 'done', 'failed')),
  outcome text,
  created_at text NOT NULL,
  expires_at text NOT NULL
);
CREATE INDEX uploads_person ON uploads (user_id);
CREATE INDEX uploads_seller ON uploads (seller_id);
CREATE INDEX uploads_end ON uploads (expires_at);

CREATE TABLE upload_parts (
  upload_id blob NOT NULL REFERENCES uploads (id),
  position integer NOT NULL CHECK (position >= 0),
  digest blob NOT NULL REFERENCES blobs (digest),
  size integer NOT NULL CHECK (size > 0),
  PRIMARY KEY (upload_id, position)
);
CREATE INDEX upload_parts_blob ON upload_parts (digest);
