-- Without the role a guest would be nobody that anything could be done with.
DELETE FROM users WHERE id IN (SELECT user_id FROM user_roles WHERE role = 'guest');
UPDATE roles SET permissions = replace(permissions, ',account:change', '') WHERE permissions LIKE '%,account:change%';
DELETE FROM roles WHERE name = 'guest';
