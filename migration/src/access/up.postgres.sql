-- What a role may do: names of permissions between commas; NULL is what a built-in role may do as delivered.
CREATE TABLE roles (
  id uuid NOT NULL PRIMARY KEY,
  name text NOT NULL UNIQUE,
  level smallint NOT NULL CHECK (level BETWEEN 0 AND 100),
  permissions text,
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
INSERT INTO roles (id, name, level, created_at, updated_at) VALUES
  ('00000000-0000-7000-8000-000000000001', 'user', 0, '1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00'),
  ('00000000-0000-7000-8000-000000000002', 'seller', 40, '1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00'),
  ('00000000-0000-7000-8000-000000000003', 'admin', 100, '1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00');
CREATE INDEX user_roles_role ON user_roles (role);
CREATE INDEX users_email_begin ON users (email COLLATE "C");
CREATE INDEX users_name_begin ON users (lower(name COLLATE "C"));

CREATE TABLE user_bans (
  user_id uuid NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  until timestamptz,
  reason text NOT NULL,
  by_id uuid NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE api_keys (
  id uuid NOT NULL PRIMARY KEY,
  digest bytea NOT NULL,
  name text NOT NULL,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  seller_id uuid REFERENCES sellers (id) ON DELETE CASCADE,
  scopes text NOT NULL,
  hint text NOT NULL,
  per_minute integer,
  expires_at timestamptz,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz
);
CREATE INDEX api_keys_user ON api_keys (user_id, id);
CREATE INDEX api_keys_seller ON api_keys (seller_id, id) WHERE seller_id IS NOT NULL;

-- A person may be a member of several accounts. Whoever is the sole member of one opened it.
ALTER TABLE seller_members DROP CONSTRAINT seller_members_pkey;
ALTER TABLE seller_members ADD COLUMN role text NOT NULL DEFAULT 'owner' CHECK (role IN ('member', 'manager', 'owner'));
ALTER TABLE seller_members ADD PRIMARY KEY (user_id, seller_id);

CREATE TABLE seller_invitations (
  id uuid NOT NULL PRIMARY KEY,
  digest bytea NOT NULL UNIQUE,
  seller_id uuid NOT NULL REFERENCES sellers (id) ON DELETE CASCADE,
  email text NOT NULL,
  role text NOT NULL CHECK (role IN ('member', 'manager', 'owner')),
  by_id uuid NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX seller_invitations_seller ON seller_invitations (seller_id, id);
