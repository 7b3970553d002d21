-- What people and models say to each other.
CREATE TABLE conversations (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  user_id blob NOT NULL REFERENCES users (id),
  -- What the client calls it.
  client_id text,
  title text NOT NULL,
  search_text text NOT NULL,
  model text,
  system text,
  archived boolean NOT NULL,
  -- The last message of the branch that is shown.
  active_id blob,
  summary text,
  -- The message that the summary reaches up to.
  summary_to blob,
  version integer NOT NULL,
  created_at text NOT NULL,
  updated_at text NOT NULL,
  CHECK ((summary IS NULL) = (summary_to IS NULL))
);
CREATE UNIQUE INDEX conversations_name ON conversations (user_id, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX conversations_person ON conversations (user_id, archived, updated_at, id);
CREATE INDEX conversations_touched ON conversations (updated_at, id);

CREATE TABLE conversation_messages (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  conversation_id blob NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  -- The message it follows, in the same conversation.
  parent_id blob,
  client_id text,
  speaker text NOT NULL CHECK (speaker IN ('user', 'assistant')),
  parts text NOT NULL,
  search_text text NOT NULL,
  state text NOT NULL CHECK (state IN ('streaming', 'done', 'cut', 'failed')),
  fault text,
  model text,
  prompt_tokens integer,
  completion_tokens integer,
  cached_tokens integer,
  reasoning_tokens integer,
  pinned boolean NOT NULL,
  created_at text NOT NULL,
  written_at text NOT NULL
);
CREATE INDEX conversation_messages_place ON conversation_messages (conversation_id, id);
