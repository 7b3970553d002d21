DROP TABLE product_vectors;
DROP TABLE vector_progress;
