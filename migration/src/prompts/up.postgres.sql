-- What the shop asks of models, under names that callers know.
CREATE TABLE prompts (
  id uuid NOT NULL PRIMARY KEY,
  name text NOT NULL UNIQUE,
  description text NOT NULL,
  archived boolean NOT NULL,
  -- The number of the latest version.
  latest bigint,
  -- The number of the split that holds.
  split bigint,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

-- What a version says, as JSON. A row is never changed.
CREATE TABLE prompt_versions (
  prompt_id uuid NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
  number bigint NOT NULL,
  content text NOT NULL,
  written_by uuid NOT NULL REFERENCES users (id),
  written_at timestamptz NOT NULL,
  PRIMARY KEY (prompt_id, number)
);
CREATE INDEX prompt_versions_writer ON prompt_versions (written_by);

-- Which versions served from when on, as JSON. A row is never changed.
CREATE TABLE prompt_splits (
  prompt_id uuid NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
  number bigint NOT NULL,
  -- The split that it brings back; itself where it is new.
  origin bigint NOT NULL,
  shares text NOT NULL,
  set_by uuid NOT NULL REFERENCES users (id),
  set_at timestamptz NOT NULL,
  PRIMARY KEY (prompt_id, number)
);
CREATE INDEX prompt_splits_person ON prompt_splits (set_by);
