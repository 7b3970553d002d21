DROP TABLE grants;
DROP TABLE product_files;
DROP TABLE storage_usage;
DROP TABLE blobs;
