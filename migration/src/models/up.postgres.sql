-- 3D models of products. A model whose product is purged is removed with what it holds, in the same transaction.
CREATE TABLE models (
  id uuid NOT NULL PRIMARY KEY,
  product_id uuid REFERENCES products (id) ON DELETE SET NULL,
  seller_id uuid NOT NULL REFERENCES sellers (id),
  name text NOT NULL,
  latest integer NOT NULL CHECK (latest >= 1),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX models_product ON models (product_id, id);
CREATE INDEX models_orphans ON models (id) WHERE product_id IS NULL;
CREATE INDEX models_seller ON models (seller_id);

-- Their versions: a file each, which a failed one has no more.
CREATE TABLE model_versions (
  model_id uuid NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  number integer NOT NULL CHECK (number >= 1),
  uploaded_by uuid NOT NULL REFERENCES users (id),
  file_name text NOT NULL,
  format text NOT NULL,
  digest bytea REFERENCES blobs (digest),
  size bigint NOT NULL,
  state text NOT NULL,
  findings text,
  fault text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (model_id, number),
  CHECK ((digest IS NULL) = (state = 'failed'))
);
CREATE INDEX model_versions_person ON model_versions (uploaded_by);
CREATE INDEX model_versions_blob ON model_versions (digest);

-- What was made of them, found by address too.
CREATE TABLE model_renditions (
  model_id uuid NOT NULL,
  number integer NOT NULL,
  kind text NOT NULL,
  digest bytea NOT NULL REFERENCES blobs (digest),
  size bigint NOT NULL,
  PRIMARY KEY (model_id, number, kind),
  FOREIGN KEY (model_id, number) REFERENCES model_versions (model_id, number) ON DELETE CASCADE
);
CREATE INDEX model_renditions_blob ON model_renditions (digest);
