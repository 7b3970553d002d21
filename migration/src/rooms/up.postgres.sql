CREATE TABLE rooms (
  id uuid NOT NULL PRIMARY KEY,
  name text NOT NULL UNIQUE,
  title text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('public', 'private')),
  owner_id uuid REFERENCES users (id) ON DELETE SET NULL,
  last_offset bigint NOT NULL DEFAULT 0,
  epoch text NOT NULL,
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX rooms_owner ON rooms (owner_id);
CREATE TABLE room_members (
  room_id uuid NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('member', 'moderator', 'owner')),
  since timestamptz NOT NULL,
  PRIMARY KEY (room_id, user_id)
);
CREATE INDEX room_members_user ON room_members (user_id);
CREATE TABLE room_sanctions (
  room_id uuid NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('ban', 'mute')),
  until timestamptz,
  by_id uuid NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (room_id, user_id, kind)
);
CREATE INDEX room_sanctions_user ON room_sanctions (user_id);
-- Messages of a room lie together, in their order. No foreign key to users: offsets have no gap, whoever goes.
CREATE TABLE room_messages (
  room_id uuid NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  message_offset bigint NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  client_id text,
  content text NOT NULL,
  created_at timestamptz NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (room_id, message_offset)
);
CREATE UNIQUE INDEX room_messages_sent ON room_messages (user_id, room_id, client_id);
CREATE TABLE room_reads (
  room_id uuid NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  message_offset bigint NOT NULL,
  read_at timestamptz NOT NULL,
  PRIMARY KEY (room_id, user_id)
);
CREATE INDEX room_reads_user ON room_reads (user_id);
-- Which process lives, and who is in which room on it. No foreign keys: it is true of this moment only.
CREATE TABLE presence_nodes (
  node uuid NOT NULL PRIMARY KEY,
  lease_until timestamptz NOT NULL
);
CREATE TABLE presence (
  room_id uuid NOT NULL,
  user_id uuid NOT NULL,
  node uuid NOT NULL,
  PRIMARY KEY (room_id, user_id, node)
);
CREATE INDEX presence_node ON presence (node);
-- The room that everybody is in.
INSERT INTO rooms (id, name, title, kind, epoch, created_at, updated_at)
  VALUES ('00000000-0000-7000-8000-000000000001', 'global', 'Everybody', 'public', substr(replace(gen_random_uuid()::text, '-', ''), 17),
    '1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00');
