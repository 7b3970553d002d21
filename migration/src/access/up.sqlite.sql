-- What a role may do: names of permissions between commas; NULL is what a built-in role may do as delivered.
CREATE TABLE roles (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  name text NOT NULL UNIQUE,
  level integer NOT NULL CHECK (level BETWEEN 0 AND 100),
  permissions text,
  version integer NOT NULL DEFAULT 1,
  created_at text NOT NULL,
  updated_at text NOT NULL
);
INSERT INTO roles (id, name, level, created_at, updated_at) VALUES
  (x'00000000000070008000000000000001', 'user', 0, '1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00'),
  (x'00000000000070008000000000000002', 'seller', 40, '1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00'),
  (x'00000000000070008000000000000003', 'admin', 100, '1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00');
CREATE INDEX user_roles_role ON user_roles (role);
CREATE INDEX users_name_begin ON users (lower(name));

CREATE TABLE user_bans (
  user_id blob NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  until text,
  reason text NOT NULL,
  by_id blob NOT NULL,
  created_at text NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_keys (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  digest blob NOT NULL,
  name text NOT NULL,
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  seller_id blob REFERENCES sellers (id) ON DELETE CASCADE,
  scopes text NOT NULL,
  hint text NOT NULL,
  per_minute integer,
  expires_at text,
  created_at text NOT NULL,
  last_used_at text
);
CREATE INDEX api_keys_user ON api_keys (user_id, id);
CREATE INDEX api_keys_seller ON api_keys (seller_id, id) WHERE seller_id IS NOT NULL;

-- A person may be a member of several accounts. Whoever is the sole member of one opened it.
CREATE TEMPORARY TABLE seller_members_before AS SELECT * FROM seller_members;
DROP TABLE seller_members;
CREATE TABLE seller_members (
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  seller_id blob NOT NULL REFERENCES sellers (id) ON DELETE CASCADE,
  created_at text NOT NULL,
  role text NOT NULL CHECK (role IN ('member', 'manager', 'owner')),
  PRIMARY KEY (user_id, seller_id)
) WITHOUT ROWID;
INSERT INTO seller_members SELECT user_id, seller_id, created_at, 'owner' FROM seller_members_before;
CREATE INDEX seller_members_seller ON seller_members (seller_id);
DROP TABLE seller_members_before;

CREATE TABLE seller_invitations (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  digest blob NOT NULL UNIQUE,
  seller_id blob NOT NULL REFERENCES sellers (id) ON DELETE CASCADE,
  email text NOT NULL,
  role text NOT NULL CHECK (role IN ('member', 'manager', 'owner')),
  by_id blob NOT NULL,
  expires_at text NOT NULL,
  created_at text NOT NULL
);
CREATE INDEX seller_invitations_seller ON seller_invitations (seller_id, id);
