ALTER TABLE conversations DROP COLUMN prompt_version;
ALTER TABLE conversations DROP COLUMN prompt_id;
DROP INDEX assistant_calls_generation;
ALTER TABLE assistant_calls DROP COLUMN generation_id;
DROP TABLE prompt_outcomes;
DROP TABLE prompt_generations;
