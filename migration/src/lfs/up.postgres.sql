-- Libraries of large files beside git repositories: a name under a seller account.
CREATE TABLE libraries (
  id uuid NOT NULL PRIMARY KEY,
  seller_id uuid NOT NULL REFERENCES sellers (id) ON DELETE CASCADE,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (seller_id, name)
);

CREATE TABLE library_objects (
  library_id uuid NOT NULL REFERENCES libraries (id),
  digest bytea NOT NULL REFERENCES blobs (digest),
  size bigint NOT NULL CHECK (size >= 0),
  added_by uuid NOT NULL REFERENCES users (id),
  added_at timestamptz NOT NULL,
  PRIMARY KEY (library_id, digest)
);
CREATE INDEX library_objects_blob ON library_objects (digest);
CREATE INDEX library_objects_person ON library_objects (added_by);

CREATE TABLE library_locks (
  id uuid NOT NULL PRIMARY KEY,
  library_id uuid NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
  path text NOT NULL,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  locked_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX library_locks_path ON library_locks (library_id, path);
CREATE INDEX library_locks_owner ON library_locks (owner_id);
