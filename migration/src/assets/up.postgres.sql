-- What is known of bytes that lie in the store of files: an edition for each time they came, and how many hold them.
CREATE TABLE blobs (
  digest bytea NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
  size bigint NOT NULL CHECK (size >= 0),
  edition bigint NOT NULL,
  refs bigint NOT NULL DEFAULT 0,
  public_refs bigint NOT NULL DEFAULT 0,
  touched_at timestamptz NOT NULL,
  CHECK (public_refs >= 0 AND public_refs <= refs)
);
CREATE INDEX blobs_idle ON blobs (touched_at) WHERE refs = 0;

-- How many bytes are kept for a person or a seller account.
CREATE TABLE storage_usage (
  user_id uuid UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  seller_id uuid UNIQUE REFERENCES sellers (id) ON DELETE CASCADE,
  bytes bigint NOT NULL CHECK (bytes >= 0),
  CHECK ((user_id IS NULL) <> (seller_id IS NULL))
);

CREATE TABLE product_files (
  id uuid NOT NULL PRIMARY KEY,
  product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  seller_id uuid NOT NULL REFERENCES sellers (id),
  uploaded_by uuid NOT NULL REFERENCES users (id),
  digest bytea NOT NULL REFERENCES blobs (digest),
  size bigint NOT NULL,
  name text NOT NULL,
  media_type text NOT NULL,
  licence text,
  is_public boolean NOT NULL,
  downloads bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX product_files_product ON product_files (product_id, id);
CREATE INDEX product_files_seller ON product_files (seller_id);
CREATE INDEX product_files_person ON product_files (uploaded_by);
CREATE INDEX product_files_blob ON product_files (digest);

-- Who may take away the private files of a product without selling it.
CREATE TABLE grants (
  product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  by_id uuid REFERENCES users (id),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (product_id, user_id)
);
CREATE INDEX grants_user ON grants (user_id, product_id);
CREATE INDEX grants_by ON grants (by_id);
