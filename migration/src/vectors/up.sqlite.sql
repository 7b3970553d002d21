-- How far the vectors of products are kept: one row.
CREATE TABLE vector_progress (
  id integer NOT NULL PRIMARY KEY CHECK (id = 1),
  head integer NOT NULL,
  began integer NOT NULL,
  model text NOT NULL,
  walking boolean NOT NULL,
  walked_to blob,
  seq integer NOT NULL,
  holder blob,
  held_until text
);
INSERT INTO vector_progress (id, head, began, model, walking, seq) VALUES (1, 0, 0, '', FALSE, 0);

-- What products mean. A row without a vector says that there is none any more.
CREATE TABLE product_vectors (
  product_id blob NOT NULL PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
  head integer NOT NULL,
  source integer NOT NULL,
  vector blob
);
CREATE INDEX product_vectors_head ON product_vectors (head, product_id);
