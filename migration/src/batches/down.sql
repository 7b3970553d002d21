DROP TABLE assistant_batch_lines;
DROP TABLE assistant_batches;
DROP TABLE assistant_files;
