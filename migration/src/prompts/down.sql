DROP TABLE prompt_splits;
DROP TABLE prompt_versions;
DROP TABLE prompts;
