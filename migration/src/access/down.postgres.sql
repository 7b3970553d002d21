DROP TABLE seller_invitations;
-- Of several accounts of a person the oldest one stays.
DELETE FROM seller_members m USING seller_members older
  WHERE older.user_id = m.user_id AND older.seller_id < m.seller_id;
ALTER TABLE seller_members DROP CONSTRAINT seller_members_pkey;
ALTER TABLE seller_members DROP COLUMN role;
ALTER TABLE seller_members ADD PRIMARY KEY (user_id);
DROP TABLE api_keys;
DROP TABLE user_bans;
DROP INDEX users_name_begin;
DROP INDEX users_email_begin;
DROP INDEX user_roles_role;
DELETE FROM user_roles WHERE role NOT IN ('user', 'seller', 'admin');
DROP TABLE roles;
