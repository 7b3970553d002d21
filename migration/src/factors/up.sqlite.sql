-- When the person of a session last proved who they are, and by what; without, when they signed in.
ALTER TABLE sessions ADD COLUMN authenticated_at text;
ALTER TABLE sessions ADD COLUMN methods text NOT NULL DEFAULT '';

-- Authenticator apps: the secret is sealed, and no step is used twice.
CREATE TABLE totp_factors (
  user_id blob NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  sealed blob NOT NULL,
  confirmed_at text,
  last_step integer NOT NULL,
  created_at text NOT NULL
) WITHOUT ROWID;

-- Recovery codes that were not used, by keyed digest.
CREATE TABLE recovery_codes (
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  digest blob NOT NULL,
  PRIMARY KEY (user_id, digest)
) WITHOUT ROWID;

-- Sign-ins that wait for their second factor, by keyed digest.
CREATE TABLE sign_in_challenges (
  digest blob NOT NULL PRIMARY KEY,
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  methods text NOT NULL,
  guesses integer NOT NULL,
  expires_at text NOT NULL
) WITHOUT ROWID;
CREATE INDEX sign_in_challenges_user ON sign_in_challenges (user_id);
CREATE INDEX sign_in_challenges_end ON sign_in_challenges (expires_at);

-- Ceremonies of passkeys that were used, by keyed digest, for as long as they could be used again.
CREATE TABLE spent_ceremonies (
  digest blob NOT NULL PRIMARY KEY,
  expires_at text NOT NULL
) WITHOUT ROWID;
CREATE INDEX spent_ceremonies_end ON spent_ceremonies (expires_at);

CREATE TABLE passkeys (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL,
  credential blob NOT NULL UNIQUE,
  key blob NOT NULL,
  created_at text NOT NULL,
  last_used_at text
);
CREATE INDEX passkeys_user ON passkeys (user_id, id);
