ALTER TABLE users ADD COLUMN email_verified_at text;

-- Codes that are good once, by keyed digest. A person has one for each purpose at most.
CREATE TABLE action_codes (
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  purpose text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password', 'change_email', 'sign_in')),
  digest blob NOT NULL UNIQUE,
  email text NOT NULL,
  guesses integer NOT NULL,
  expires_at text NOT NULL,
  PRIMARY KEY (user_id, purpose)
) WITHOUT ROWID;
CREATE INDEX action_codes_end ON action_codes (expires_at);

-- Where people signed in from, by keyed digest of the address.
CREATE TABLE sign_in_places (
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  place blob NOT NULL,
  seen_at text NOT NULL,
  PRIMARY KEY (user_id, place)
) WITHOUT ROWID;
