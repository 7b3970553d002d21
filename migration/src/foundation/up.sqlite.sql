-- An id is the 16 bytes of a UUID: anything else would spoil whoever reads the row, the relay above all.
CREATE TABLE users (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  email text NOT NULL UNIQUE CHECK (length(email) <= 255),
  name text NOT NULL,
  password_hash text NOT NULL,
  created_at text NOT NULL,
  updated_at text NOT NULL
);
CREATE TABLE user_roles (
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL,
  created_at text NOT NULL,
  PRIMARY KEY (user_id, role)
) WITHOUT ROWID;

CREATE TABLE sellers (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  name text NOT NULL,
  slug text NOT NULL UNIQUE,
  created_at text NOT NULL
);
CREATE TABLE seller_members (
  user_id blob NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  seller_id blob NOT NULL REFERENCES sellers (id) ON DELETE CASCADE,
  created_at text NOT NULL
) WITHOUT ROWID;
CREATE INDEX seller_members_seller ON seller_members (seller_id);

CREATE TABLE categories (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  parent_id blob REFERENCES categories (id),
  name text NOT NULL,
  slug text NOT NULL UNIQUE,
  path text NOT NULL UNIQUE,
  rank integer NOT NULL DEFAULT 0,
  created_at text NOT NULL,
  updated_at text NOT NULL
);
CREATE INDEX categories_parent ON categories (parent_id);
-- Another number whenever the tree is another: who knows the tree of a number need not read it again.
CREATE TABLE category_tree (
  id integer NOT NULL PRIMARY KEY CHECK (id = 1),
  version integer NOT NULL
);
INSERT INTO category_tree VALUES (1, 0);
CREATE TRIGGER categories_insert AFTER INSERT ON categories BEGIN UPDATE category_tree SET version = version + 1; END;
CREATE TRIGGER categories_update AFTER UPDATE ON categories BEGIN UPDATE category_tree SET version = version + 1; END;
CREATE TRIGGER categories_delete AFTER DELETE ON categories BEGIN UPDATE category_tree SET version = version + 1; END;

-- doc is the row's number in the full-text index.
CREATE TABLE products (
  doc integer PRIMARY KEY,
  id blob NOT NULL UNIQUE CHECK (typeof(id) = 'blob' AND length(id) = 16),
  seller_id blob NOT NULL REFERENCES sellers (id),
  category_id blob REFERENCES categories (id),
  sku text,
  name text NOT NULL,
  slug text NOT NULL,
  description text NOT NULL,
  price_minor integer NOT NULL CHECK (price_minor > 0),
  stock integer NOT NULL CHECK (stock >= 0),
  status text NOT NULL CHECK (status IN ('draft', 'published', 'archived')),
  metadata text NOT NULL DEFAULT '{}',
  search_text text NOT NULL,
  rating_sum integer NOT NULL DEFAULT 0,
  rating_count integer NOT NULL DEFAULT 0,
  version integer NOT NULL DEFAULT 1,
  created_at text NOT NULL,
  updated_at text NOT NULL,
  deleted_at text,
  deleted_by blob REFERENCES users (id)
);
CREATE UNIQUE INDEX products_slug ON products (slug) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX products_sku ON products (seller_id, sku) WHERE sku IS NOT NULL AND deleted_at IS NULL;
-- The trailing columns let a list filter while it walks in order, without visiting the table.
CREATE INDEX products_newest ON products (created_at DESC, id DESC, price_minor, category_id) WHERE status = 'published' AND deleted_at IS NULL;
CREATE INDEX products_price ON products (price_minor, id, category_id) WHERE status = 'published' AND deleted_at IS NULL;
-- What a search needs of a match, so that it need not read the whole row.
CREATE INDEX products_doc ON products (doc, price_minor, created_at, id, category_id, seller_id) WHERE status = 'published' AND deleted_at IS NULL;
CREATE INDEX products_category ON products (category_id, created_at DESC, id DESC, price_minor, status, deleted_at);
CREATE INDEX products_seller ON products (seller_id, created_at DESC, id DESC, price_minor, status, deleted_at);
CREATE INDEX products_deleted ON products (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX products_deleted_by ON products (deleted_by) WHERE deleted_by IS NOT NULL;

-- The tokens are cut and folded by the domain; the ascii tokenizer only splits them at the spaces between.
CREATE VIRTUAL TABLE product_search USING fts5(
  search_text, content = 'products', content_rowid = 'doc', tokenize = 'ascii', detail = 'none', prefix = '2 3'
);

-- How many products are published, per category (zeros for none) and per stretch of prices: totals without a scan.
CREATE TABLE category_counts (
  category_id blob NOT NULL PRIMARY KEY,
  n integer NOT NULL
) WITHOUT ROWID;
CREATE TABLE price_counts (
  level integer NOT NULL,
  bucket integer NOT NULL,
  n integer NOT NULL,
  PRIMARY KEY (level, bucket)
) WITHOUT ROWID;

CREATE TRIGGER products_search_insert AFTER INSERT ON products BEGIN
  INSERT INTO product_search (rowid, search_text) VALUES (new.doc, new.search_text);
END;
CREATE TRIGGER products_search_update AFTER UPDATE OF search_text ON products WHEN old.search_text <> new.search_text BEGIN
  INSERT INTO product_search (product_search, rowid, search_text) VALUES ('delete', old.doc, old.search_text);
  INSERT INTO product_search (rowid, search_text) VALUES (new.doc, new.search_text);
END;
CREATE TRIGGER products_search_delete AFTER DELETE ON products BEGIN
  INSERT INTO product_search (product_search, rowid, search_text) VALUES ('delete', old.doc, old.search_text);
END;

CREATE TRIGGER products_count_insert AFTER INSERT ON products WHEN new.status = 'published' AND new.deleted_at IS NULL BEGIN
  INSERT INTO category_counts VALUES (coalesce(new.category_id, zeroblob(16)), 1) ON CONFLICT DO UPDATE SET n = n + 1;
  INSERT INTO price_counts VALUES (0, new.price_minor >> 6, 1), (1, new.price_minor >> 12, 1), (2, new.price_minor >> 18, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER products_count_out AFTER UPDATE ON products
WHEN old.status = 'published' AND old.deleted_at IS NULL
  AND (new.status <> old.status OR new.deleted_at IS NOT NULL OR new.category_id IS NOT old.category_id OR new.price_minor <> old.price_minor) BEGIN
  UPDATE category_counts SET n = n - 1 WHERE category_id = coalesce(old.category_id, zeroblob(16));
  UPDATE price_counts SET n = n - 1
    WHERE (level, bucket) IN (VALUES (0, old.price_minor >> 6), (1, old.price_minor >> 12), (2, old.price_minor >> 18));
END;
CREATE TRIGGER products_count_in AFTER UPDATE ON products
WHEN new.status = 'published' AND new.deleted_at IS NULL
  AND (new.status <> old.status OR old.deleted_at IS NOT NULL OR new.category_id IS NOT old.category_id OR new.price_minor <> old.price_minor) BEGIN
  INSERT INTO category_counts VALUES (coalesce(new.category_id, zeroblob(16)), 1) ON CONFLICT DO UPDATE SET n = n + 1;
  INSERT INTO price_counts VALUES (0, new.price_minor >> 6, 1), (1, new.price_minor >> 12, 1), (2, new.price_minor >> 18, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER products_count_delete AFTER DELETE ON products WHEN old.status = 'published' AND old.deleted_at IS NULL BEGIN
  UPDATE category_counts SET n = n - 1 WHERE category_id = coalesce(old.category_id, zeroblob(16));
  UPDATE price_counts SET n = n - 1
    WHERE (level, bucket) IN (VALUES (0, old.price_minor >> 6), (1, old.price_minor >> 12), (2, old.price_minor >> 18));
END;

CREATE TABLE product_slug_history (
  slug text NOT NULL PRIMARY KEY,
  product_id blob NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  created_at text NOT NULL
) WITHOUT ROWID;
CREATE INDEX product_slug_history_product ON product_slug_history (product_id);

-- Read by product and in no other way, so what is of one product lies together.
CREATE TABLE product_images (
  product_id blob NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  position integer NOT NULL,
  id blob NOT NULL CHECK (typeof(id) = 'blob' AND length(id) = 16),
  url text NOT NULL,
  alt text,
  PRIMARY KEY (product_id, position)
) WITHOUT ROWID;

-- The newest of a product are read with it, so they lie together as well.
CREATE TABLE reviews (
  id blob NOT NULL UNIQUE CHECK (typeof(id) = 'blob' AND length(id) = 16),
  product_id blob NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  author_id blob NOT NULL REFERENCES users (id),
  stars integer NOT NULL CHECK (stars BETWEEN 1 AND 5),
  comment text NOT NULL,
  hidden boolean NOT NULL DEFAULT FALSE,
  created_at text NOT NULL,
  updated_at text NOT NULL,
  PRIMARY KEY (product_id, created_at, id),
  UNIQUE (product_id, author_id)
) WITHOUT ROWID;
CREATE INDEX reviews_author ON reviews (author_id);

CREATE TABLE product_views (
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  product_id blob NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  viewed_at text NOT NULL,
  PRIMARY KEY (user_id, product_id)
) WITHOUT ROWID;
CREATE INDEX product_views_product ON product_views (product_id);

-- An event and its audit row share their id. No foreign keys: both outlive what they tell of.
CREATE TABLE events (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  seq integer UNIQUE,
  kind text NOT NULL,
  entity_type text NOT NULL,
  entity_id blob NOT NULL,
  actor_id blob,
  payload text NOT NULL,
  occurred_at text NOT NULL,
  failure text
);
CREATE INDEX events_pending ON events (id) WHERE seq IS NULL AND failure IS NULL;
CREATE TABLE audit_logs (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  actor_id blob,
  action text NOT NULL,
  entity_type text NOT NULL,
  entity_id blob NOT NULL,
  metadata text NOT NULL,
  created_at text NOT NULL
);
CREATE INDEX audit_logs_actor ON audit_logs (actor_id, id);
CREATE INDEX audit_logs_entity ON audit_logs (entity_id, id);
CREATE TABLE audit_chain (
  seq integer NOT NULL PRIMARY KEY,
  audit_id blob NOT NULL UNIQUE,
  hash blob NOT NULL
);
-- Where the chain begins (after a purge) and ends, each sealed with the key outside the database.
CREATE TABLE audit_marks (
  name text NOT NULL PRIMARY KEY,
  seq integer NOT NULL,
  hash blob NOT NULL,
  seal blob NOT NULL
) WITHOUT ROWID;
CREATE TABLE leases (
  name text NOT NULL PRIMARY KEY,
  holder text NOT NULL,
  fence integer NOT NULL,
  expires_at text NOT NULL
) WITHOUT ROWID;
CREATE TABLE event_cursor (
  id integer NOT NULL PRIMARY KEY CHECK (id = 1),
  last_seq integer NOT NULL
);
INSERT INTO event_cursor VALUES (1, 0);

CREATE TABLE idempotency_keys (
  actor_id blob NOT NULL,
  operation text NOT NULL,
  key text NOT NULL,
  fingerprint blob NOT NULL,
  status integer NOT NULL,
  headers text NOT NULL,
  body blob NOT NULL,
  created_at text NOT NULL,
  PRIMARY KEY (actor_id, operation, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE signing_keys (
  kid text NOT NULL PRIMARY KEY,
  sealed blob NOT NULL,
  created_at text NOT NULL
) WITHOUT ROWID;
