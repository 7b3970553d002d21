DROP INDEX events_pending;
CREATE INDEX events_pending ON events (id) WHERE seq IS NULL AND failure IS NULL;
