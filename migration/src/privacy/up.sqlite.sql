-- Archives of all that is kept of a person; the chunks are sealed.
CREATE TABLE data_exports (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at text NOT NULL,
  expires_at text NOT NULL,
  ready_at text,
  bytes integer NOT NULL DEFAULT 0,
  chunks integer NOT NULL DEFAULT 0
);
CREATE INDEX data_exports_user ON data_exports (user_id, id);
CREATE INDEX data_exports_end ON data_exports (expires_at);

CREATE TABLE data_export_chunks (
  export_id blob NOT NULL REFERENCES data_exports (id) ON DELETE CASCADE,
  n integer NOT NULL,
  sealed blob NOT NULL,
  PRIMARY KEY (export_id, n)
);
