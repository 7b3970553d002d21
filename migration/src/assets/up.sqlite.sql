-- What is known of bytes that lie in the store of files: an edition for each time they came, and how many hold them.
CREATE TABLE blobs (
  digest blob NOT NULL PRIMARY KEY CHECK (typeof(digest) = 'blob' AND length(digest) = 32),
  size integer NOT NULL CHECK (size >= 0),
  edition integer NOT NULL,
  refs integer NOT NULL DEFAULT 0,
  public_refs integer NOT NULL DEFAULT 0,
  touched_at text NOT NULL,
  CHECK (public_refs >= 0 AND public_refs <= refs)
);
CREATE INDEX blobs_idle ON blobs (touched_at) WHERE refs = 0;

-- How many bytes are kept for a person or a seller account.
CREATE TABLE storage_usage (
  user_id blob UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  seller_id blob UNIQUE REFERENCES sellers (id) ON DELETE CASCADE,
  bytes integer NOT NULL CHECK (bytes >= 0),
  CHECK ((user_id IS NULL) <> (seller_id IS NULL))
);

CREATE TABLE product_files (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  product_id blob NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  seller_id blob NOT NULL REFERENCES sellers (id),
  uploaded_by blob NOT NULL REFERENCES users (id),
  digest blob NOT NULL REFERENCES blobs (digest),
  size integer NOT NULL,
  name text NOT NULL,
  media_type text NOT NULL,
  licence text,
  is_public boolean NOT NULL,
  downloads integer NOT NULL DEFAULT 0,
  created_at text NOT NULL,
  updated_at text NOT NULL
);
CREATE INDEX product_files_product ON product_files (product_id, id);
CREATE INDEX product_files_seller ON product_files (seller_id);
CREATE INDEX product_files_person ON product_files (uploaded_by);
CREATE INDEX product_files_blob ON product_files (digest);

-- Who may take away the private files of a product without selling it.
CREATE TABLE grants (
  product_id blob NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  by_id blob REFERENCES users (id),
  created_at text NOT NULL,
  PRIMARY KEY (product_id, user_id)
);
CREATE INDEX grants_user ON grants (user_id, product_id);
CREATE INDEX grants_by ON grants (by_id);
