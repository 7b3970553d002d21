DROP TABLE sign_in_places;
DROP TABLE action_codes;
ALTER TABLE users DROP COLUMN email_verified_at;
