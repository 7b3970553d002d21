CREATE INDEX model_versions_processing ON model_versions (model_id, number) WHERE state = 'processing';
CREATE INDEX uploads_finishing ON uploads (id) WHERE state = 'finishing';
