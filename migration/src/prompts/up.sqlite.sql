-- What the shop asks of models, under names that callers know.
CREATE TABLE prompts (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  name text NOT NULL UNIQUE,
  description text NOT NULL,
  archived boolean NOT NULL,
  -- The number of the latest version.
  latest integer,
  -- The number of the split that holds.
  split integer,
  version integer NOT NULL,
  created_at text NOT NULL,
  updated_at text NOT NULL
);

-- What a version says, as JSON. A row is never changed.
CREATE TABLE prompt_versions (
  prompt_id blob NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
  number integer NOT NULL,
  content text NOT NULL,
  written_by blob NOT NULL REFERENCES users (id),
  written_at text NOT NULL,
  PRIMARY KEY (prompt_id, number)
);
CREATE INDEX prompt_versions_writer ON prompt_versions (written_by);

-- Which versions served from when on, as JSON. A row is never changed.
CREATE TABLE prompt_splits (
  prompt_id blob NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
  number integer NOT NULL,
  -- The split that it brings back; itself where it is new.
  origin integer NOT NULL,
  shares text NOT NULL,
  set_by blob NOT NULL REFERENCES users (id),
  set_at text NOT NULL,
  PRIMARY KEY (prompt_id, number)
);
CREATE INDEX prompt_splits_person ON prompt_splits (set_by);
