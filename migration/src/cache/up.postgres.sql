-- What all nodes agree on before they serve from the cache they share. One row. The moment is in milliseconds since 1970, by
-- the clock of the database, which alone compares it.
CREATE TABLE cache_epoch (
  id smallint NOT NULL PRIMARY KEY CHECK (id = 1),
  epoch bigint NOT NULL,
  source text NOT NULL,
  suspended_until bigint NOT NULL
);
INSERT INTO cache_epoch (id, epoch, source, suspended_until) VALUES (1, 0, '', 0);
