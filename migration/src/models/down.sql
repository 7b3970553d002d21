DROP TABLE model_renditions;
DROP TABLE model_versions;
DROP TABLE models;
