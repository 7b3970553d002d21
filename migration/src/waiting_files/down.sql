DROP INDEX uploads_finishing;
DROP INDEX model_versions_processing;
