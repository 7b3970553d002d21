-- Who people are at providers and issuers. One person there is one here, who has one identity at each.
CREATE TABLE user_identities (
  issuer text NOT NULL,
  subject text NOT NULL,
  provider text NOT NULL,
  user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  email text,
  linked_at text NOT NULL,
  PRIMARY KEY (issuer, subject),
  UNIQUE (user_id, provider)
) WITHOUT ROWID;

-- Sign-ins that are under way there: each step sealed, by keyed digest of its secret, and taken once.
CREATE TABLE sign_in_steps (
  digest blob NOT NULL PRIMARY KEY,
  sealed blob NOT NULL,
  expires_at text NOT NULL
) WITHOUT ROWID;
CREATE INDEX sign_in_steps_end ON sign_in_steps (expires_at);
