-- Archives of all that is kept of a person; the chunks are sealed.
CREATE TABLE data_exports (
  id uuid NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ready_at timestamptz,
  bytes bigint NOT NULL DEFAULT 0,
  chunks integer NOT NULL DEFAULT 0
);
CREATE INDEX data_exports_user ON data_exports (user_id, id);
CREATE INDEX data_exports_end ON data_exports (expires_at);

CREATE TABLE data_export_chunks (
  export_id uuid NOT NULL REFERENCES data_exports (id) ON DELETE CASCADE,
  n integer NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (export_id, n)
);
