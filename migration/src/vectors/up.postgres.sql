-- How far the vectors of products are kept: one row.
CREATE TABLE vector_progress (
  id smallint NOT NULL PRIMARY KEY CHECK (id = 1),
  head bigint NOT NULL,
  began bigint NOT NULL,
  model text NOT NULL,
  walking boolean NOT NULL,
  walked_to uuid,
  seq bigint NOT NULL,
  holder uuid,
  held_until timestamptz
);
INSERT INTO vector_progress (id, head, began, model, walking, seq) VALUES (1, 0, 0, '', FALSE, 0);

-- What products mean. A row without a vector says that there is none any more.
CREATE TABLE product_vectors (
  product_id uuid NOT NULL PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
  head bigint NOT NULL,
  source bigint NOT NULL,
  vector bytea
);
CREATE INDEX product_vectors_head ON product_vectors (head, product_id);
