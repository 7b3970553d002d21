-- People who came without saying who they are. Down leaves the role: to a version before it is one that may nothing.
INSERT INTO roles (id, name, level, created_at, updated_at) VALUES
  ('00000000-0000-7000-8000-000000000004', 'guest', 0, '1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00')
  ON CONFLICT (name) DO NOTHING;
-- What account:own was is two permissions now, of which guests have the first.
UPDATE roles SET permissions = permissions || ',account:change' WHERE ',' || permissions || ',' LIKE '%,account:own,%';
