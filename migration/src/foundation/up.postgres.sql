CREATE TABLE users (
  id uuid NOT NULL PRIMARY KEY,
  email text NOT NULL UNIQUE CHECK (length(email) <= 255),
  name text NOT NULL,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE TABLE user_roles (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, role)
);

CREATE TABLE sellers (
  id uuid NOT NULL PRIMARY KEY,
  name text NOT NULL,
  slug text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL
);
CREATE TABLE seller_members (
  user_id uuid NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  seller_id uuid NOT NULL REFERENCES sellers (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL
);
CREATE INDEX seller_members_seller ON seller_members (seller_id);

CREATE TABLE categories (
  id uuid NOT NULL PRIMARY KEY,
  parent_id uuid REFERENCES categories (id),
  name text NOT NULL,
  slug text NOT NULL UNIQUE,
  path text COLLATE "C" NOT NULL UNIQUE,
  rank integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX categories_parent ON categories (parent_id);
-- Another number whenever the tree is another: who knows the tree of a number need not read it again.
CREATE TABLE category_tree (
  id integer NOT NULL PRIMARY KEY CHECK (id = 1),
  version bigint NOT NULL
);
INSERT INTO category_tree VALUES (1, 0);
CREATE FUNCTION categories_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE category_tree SET version = version + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER categories_changed AFTER INSERT OR UPDATE OR DELETE ON categories
  FOR EACH STATEMENT EXECUTE FUNCTION categories_changed();

-- What a search looks at of every match comes first, so that it need not walk past the texts.
CREATE TABLE products (
  id uuid NOT NULL PRIMARY KEY,
  seller_id uuid NOT NULL REFERENCES sellers (id),
  price_minor bigint NOT NULL CHECK (price_minor > 0),
  stock bigint NOT NULL CHECK (stock >= 0),
  rating_sum bigint NOT NULL DEFAULT 0,
  rating_count bigint NOT NULL DEFAULT 0,
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  status text NOT NULL CHECK (status IN ('draft', 'published', 'archived')),
  category_id uuid REFERENCES categories (id),
  deleted_at timestamptz,
  deleted_by uuid REFERENCES users (id),
  sku text,
  name text NOT NULL,
  slug text NOT NULL,
  description text NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  search_text text NOT NULL
);
CREATE UNIQUE INDEX products_slug ON products (slug) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX products_sku ON products (seller_id, sku) WHERE sku IS NOT NULL AND deleted_at IS NULL;
-- The trailing columns let a list filter while it walks in order, without visiting the table.
CREATE INDEX products_newest ON products (created_at DESC, id DESC, price_minor, category_id) WHERE status = 'published' AND deleted_at IS NULL;
CREATE INDEX products_price ON products (price_minor, id, category_id) WHERE status = 'published' AND deleted_at IS NULL;
CREATE INDEX products_category ON products (category_id, created_at DESC, id DESC, price_minor, status, deleted_at);
CREATE INDEX products_seller ON products (seller_id, created_at DESC, id DESC, price_minor, status, deleted_at);
CREATE INDEX products_deleted ON products (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX products_deleted_by ON products (deleted_by) WHERE deleted_by IS NOT NULL;

-- The tokens are cut and folded by the domain; here they are only put into a vector as they are. The vector is kept in
-- the index and nowhere else: in the row it would be half of what a search reads.
CREATE INDEX products_search ON products USING gin (array_to_tsvector(string_to_array(search_text, ' ')));

-- How many products are published, per category (zeros for none) and per stretch of prices: totals without a scan.
CREATE TABLE category_counts (
  category_id uuid NOT NULL PRIMARY KEY,
  n bigint NOT NULL
);
CREATE TABLE price_counts (
  level integer NOT NULL,
  bucket bigint NOT NULL,
  n bigint NOT NULL,
  PRIMARY KEY (level, bucket)
);

-- Changes of the counts wait here until the relay folds them in, so that writers do not queue behind one row;
-- a total is what was folded plus what waits.
CREATE TABLE product_count_deltas (
  category_id uuid NOT NULL,
  price_minor bigint NOT NULL,
  n bigint NOT NULL
);
CREATE FUNCTION products_count_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO product_count_deltas
    SELECT coalesce(category_id, '00000000-0000-0000-0000-000000000000'), price_minor, 1 FROM added
    WHERE status = 'published' AND deleted_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER products_count_insert AFTER INSERT ON products
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION products_count_insert();
CREATE FUNCTION products_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'published' AND OLD.deleted_at IS NULL THEN
    INSERT INTO product_count_deltas VALUES (coalesce(OLD.category_id, '00000000-0000-0000-0000-000000000000'), OLD.price_minor, -1);
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.status = 'published' AND NEW.deleted_at IS NULL THEN
    INSERT INTO product_count_deltas VALUES (coalesce(NEW.category_id, '00000000-0000-0000-0000-000000000000'), NEW.price_minor, 1);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER products_count_update AFTER UPDATE ON products FOR EACH ROW
  WHEN (OLD.status <> NEW.status OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at
    OR OLD.category_id IS DISTINCT FROM NEW.category_id OR OLD.price_minor <> NEW.price_minor)
  EXECUTE FUNCTION products_count_change();
CREATE TRIGGER products_count_delete AFTER DELETE ON products FOR EACH ROW EXECUTE FUNCTION products_count_change();

CREATE TABLE product_slug_history (
  slug text NOT NULL PRIMARY KEY,
  product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL
);
CREATE INDEX product_slug_history_product ON product_slug_history (product_id);

CREATE TABLE product_images (
  product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  position integer NOT NULL,
  id uuid NOT NULL,
  url text NOT NULL,
  alt text,
  PRIMARY KEY (product_id, position)
);

CREATE TABLE reviews (
  id uuid NOT NULL PRIMARY KEY,
  product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  author_id uuid NOT NULL REFERENCES users (id),
  stars integer NOT NULL CHECK (stars BETWEEN 1 AND 5),
  comment text NOT NULL,
  hidden boolean NOT NULL DEFAULT FALSE,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (product_id, author_id)
);
CREATE INDEX reviews_newest ON reviews (product_id, created_at DESC, id DESC);
CREATE INDEX reviews_author ON reviews (author_id);

CREATE TABLE product_views (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  viewed_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, product_id)
);
CREATE INDEX product_views_product ON product_views (product_id);

-- An event and its audit row share their id. No foreign keys: both outlive what they tell of.
CREATE TABLE events (
  id uuid NOT NULL PRIMARY KEY,
  seq bigint UNIQUE,
  kind text NOT NULL,
  entity_type text NOT NULL,
  entity_id uuid NOT NULL,
  actor_id uuid,
  payload jsonb NOT NULL,
  occurred_at timestamptz NOT NULL,
  failure text
);
CREATE INDEX events_pending ON events (id) WHERE seq IS NULL AND failure IS NULL;
CREATE TABLE audit_logs (
  id uuid NOT NULL PRIMARY KEY,
  actor_id uuid,
  action text NOT NULL,
  entity_type text NOT NULL,
  entity_id uuid NOT NULL,
  metadata jsonb NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX audit_logs_actor ON audit_logs (actor_id, id);
CREATE INDEX audit_logs_entity ON audit_logs (entity_id, id);
CREATE TABLE audit_chain (
  seq bigint NOT NULL PRIMARY KEY,
  audit_id uuid NOT NULL UNIQUE,
  hash bytea NOT NULL
);
-- Where the chain begins (after a purge) and ends, each sealed with the key outside the database.
CREATE TABLE audit_marks (
  name text NOT NULL PRIMARY KEY,
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  seal bytea NOT NULL
);
CREATE TABLE leases (
  name text NOT NULL PRIMARY KEY,
  holder text NOT NULL,
  fence bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE TABLE event_cursor (
  id integer NOT NULL PRIMARY KEY CHECK (id = 1),
  last_seq bigint NOT NULL
);
INSERT INTO event_cursor VALUES (1, 0);

CREATE TABLE idempotency_keys (
  actor_id uuid NOT NULL,
  operation text NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  status integer NOT NULL,
  headers jsonb NOT NULL,
  body bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (actor_id, operation, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE signing_keys (
  kid text NOT NULL PRIMARY KEY,
  sealed bytea NOT NULL,
  created_at timestamptz NOT NULL
);
