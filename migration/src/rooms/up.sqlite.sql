CREATE TABLE rooms (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  name text NOT NULL UNIQUE,
  title text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('public', 'private')),
  owner_id blob REFERENCES users (id) ON DELETE SET NULL,
  last_offset integer NOT NULL DEFAULT 0,
  epoch text NOT NULL,
  version integer NOT NULL DEFAULT 1,
  created_at text NOT NULL,
  updated_at text NOT NULL
);
CREATE INDEX rooms_owner ON rooms (owner_id);
CREATE TABLE room_members (
  room_id blob NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('member', 'moderator', 'owner')),
  since text NOT NULL,
  PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX room_members_user ON room_members (user_id);
CREATE TABLE room_sanctions (
  room_id blob NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('ban', 'mute')),
  until text,
  by_id blob NOT NULL,
  reason text NOT NULL,
  created_at text NOT NULL,
  PRIMARY KEY (room_id, user_id, kind)
) WITHOUT ROWID;
CREATE INDEX room_sanctions_user ON room_sanctions (user_id);
-- Messages of a room lie together, in their order. No foreign key to users: offsets have no gap, whoever goes.
CREATE TABLE room_messages (
  room_id blob NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  message_offset integer NOT NULL,
  id blob NOT NULL CHECK (typeof(id) = 'blob' AND length(id) = 16),
  user_id blob NOT NULL,
  client_id text,
  content text NOT NULL,
  created_at text NOT NULL,
  deleted_at text,
  PRIMARY KEY (room_id, message_offset)
) WITHOUT ROWID;
CREATE UNIQUE INDEX room_messages_sent ON room_messages (user_id, room_id, client_id);
CREATE TABLE room_reads (
  room_id blob NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  message_offset integer NOT NULL,
  read_at text NOT NULL,
  PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX room_reads_user ON room_reads (user_id);
-- Which process lives, and who is in which room on it. No foreign keys: it is true of this moment only.
CREATE TABLE presence_nodes (
  node blob NOT NULL PRIMARY KEY,
  lease_until text NOT NULL
) WITHOUT ROWID;
CREATE TABLE presence (
  room_id blob NOT NULL,
  user_id blob NOT NULL,
  node blob NOT NULL,
  PRIMARY KEY (room_id, user_id, node)
) WITHOUT ROWID;
CREATE INDEX presence_node ON presence (node);
-- The room that everybody is in.
INSERT INTO rooms (id, name, title, kind, epoch, created_at, updated_at)
  VALUES (x'00000000000070008000000000000001', 'global', 'Everybody', 'public', lower(hex(randomblob(8))),
    '1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00');
