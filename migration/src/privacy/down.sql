DROP TABLE data_export_chunks;
DROP TABLE data_exports;
