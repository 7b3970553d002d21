-- Rows that are alike in an index stand there in the order in which they were written.
DROP INDEX events_pending;
CREATE INDEX events_pending ON events (seq) WHERE seq IS NULL AND failure IS NULL;
