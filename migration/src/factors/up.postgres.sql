-- When the person of a session last proved who they are, and by what; without, when they signed in.
ALTER TABLE sessions ADD COLUMN authenticated_at timestamptz;
ALTER TABLE sessions ADD COLUMN methods text NOT NULL DEFAULT '';

-- Authenticator apps: the secret is sealed, and no step is used twice.
CREATE TABLE totp_factors (
  user_id uuid NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  sealed bytea NOT NULL,
  confirmed_at timestamptz,
  last_step bigint NOT NULL,
  created_at timestamptz NOT NULL
);

-- Recovery codes that were not used, by keyed digest.
CREATE TABLE recovery_codes (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  digest bytea NOT NULL,
  PRIMARY KEY (user_id, digest)
);

-- Sign-ins that wait for their second factor, by keyed digest.
CREATE TABLE sign_in_challenges (
  digest bytea NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  methods text NOT NULL,
  guesses integer NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_challenges_user ON sign_in_challenges (user_id);
CREATE INDEX sign_in_challenges_end ON sign_in_challenges (expires_at);

-- Ceremonies of passkeys that were used, by keyed digest, for as long as they could be used again.
CREATE TABLE spent_ceremonies (
  digest bytea NOT NULL PRIMARY KEY,
  expires_at timestamptz NOT NULL
);
CREATE INDEX spent_ceremonies_end ON spent_ceremonies (expires_at);

CREATE TABLE passkeys (
  id uuid NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL,
  credential bytea NOT NULL UNIQUE,
  key bytea NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz
);
CREATE INDEX passkeys_user ON passkeys (user_id, id);
