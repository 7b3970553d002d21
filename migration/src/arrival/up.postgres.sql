-- The order in which rows of the log were written, which the ids of one millisecond, or of nodes whose clocks differ, do not tell.
-- Rows from before have none, and no row is written anew for it.
CREATE SEQUENCE events_arrival;
ALTER TABLE events ADD COLUMN arrival bigint;
ALTER TABLE events ALTER COLUMN arrival SET DEFAULT nextval('events_arrival');
ALTER SEQUENCE events_arrival OWNED BY events.arrival;
DROP INDEX events_pending;
CREATE INDEX events_pending ON events (arrival NULLS FIRST, id) WHERE seq IS NULL AND failure IS NULL;
