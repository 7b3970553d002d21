DROP TABLE seller_invitations;
-- Of several accounts of a person the oldest one stays.
CREATE TEMPORARY TABLE seller_members_before AS SELECT * FROM seller_members;
DROP TABLE seller_members;
CREATE TABLE seller_members (
  user_id blob NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  seller_id blob NOT NULL REFERENCES sellers (id) ON DELETE CASCADE,
  created_at text NOT NULL
) WITHOUT ROWID;
INSERT INTO seller_members SELECT user_id, seller_id, created_at FROM seller_members_before m
  WHERE NOT EXISTS (SELECT 1 FROM seller_members_before o WHERE o.user_id = m.user_id AND o.seller_id < m.seller_id);
CREATE INDEX seller_members_seller ON seller_members (seller_id);
DROP TABLE seller_members_before;
DROP TABLE api_keys;
DROP TABLE user_bans;
DROP INDEX users_name_begin;
DROP INDEX user_roles_role;
DELETE FROM user_roles WHERE role NOT IN ('user', 'seller', 'admin');
DROP TABLE roles;
