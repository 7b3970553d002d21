-- Libraries of large files beside git repositories: a name under a seller account.
CREATE TABLE libraries (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  seller_id blob NOT NULL REFERENCES sellers (id) ON DELETE CASCADE,
  name text NOT NULL,
  created_at text NOT NULL,
  UNIQUE (seller_id, name)
);

CREATE TABLE library_objects (
  library_id blob NOT NULL REFERENCES libraries (id),
  digest blob NOT NULL REFERENCES blobs (digest),
  size integer NOT NULL CHECK (size >= 0),
  added_by blob NOT NULL REFERENCES users (id),
  added_at text NOT NULL,
  PRIMARY KEY (library_id, digest)
);
CREATE INDEX library_objects_blob ON library_objects (digest);
CREATE INDEX library_objects_person ON library_objects (added_by);

CREATE TABLE library_locks (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  library_id blob NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
  path text NOT NULL,
  owner_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  locked_at text NOT NULL
);
CREATE UNIQUE INDEX library_locks_path ON library_locks (library_id, path);
CREATE INDEX library_locks_owner ON library_locks (owner_id);
