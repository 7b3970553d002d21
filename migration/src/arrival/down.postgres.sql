DROP INDEX events_pending;
ALTER TABLE events DROP COLUMN arrival;
CREATE INDEX events_pending ON events (id) WHERE seq IS NULL AND failure IS NULL;
