-- Answers that were asked for by prompts: which version it was and how it went, never what was said.
CREATE TABLE prompt_generations (
  id blob NOT NULL PRIMARY KEY CHECK (typeof(id) = 'blob' AND length(id) = 16),
  prompt_id blob NOT NULL REFERENCES prompts (id),
  version integer NOT NULL,
  user_id blob NOT NULL REFERENCES users (id),
  model text NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'refused')),
  reason text,
  took_ms integer,
  started_at text NOT NULL,
  ended_at text,
  CHECK ((ended_at IS NULL) = (state = 'running'))
);
CREATE INDEX prompt_generations_prompt ON prompt_generations (prompt_id, started_at);
CREATE INDEX prompt_generations_person ON prompt_generations (user_id, id);
CREATE INDEX prompt_generations_open ON prompt_generations (started_at) WHERE state = 'running';
CREATE INDEX prompt_generations_ended ON prompt_generations (ended_at) WHERE ended_at IS NOT NULL;

-- How answers turned out, by what was measured; a flag is 0 or 1.
CREATE TABLE prompt_outcomes (
  generation_id blob NOT NULL REFERENCES prompt_generations (id) ON DELETE CASCADE,
  metric text NOT NULL,
  is_flag boolean NOT NULL,
  value real NOT NULL,
  said_at text NOT NULL,
  PRIMARY KEY (generation_id, metric)
);

-- What a call was made for, where a prompt asked; what was spent stays when that goes.
ALTER TABLE assistant_calls ADD COLUMN generation_id blob;
CREATE INDEX assistant_calls_generation ON assistant_calls (generation_id) WHERE generation_id IS NOT NULL;

-- The version of a prompt that says how a model is to behave in a conversation; what was told stays when that goes.
ALTER TABLE conversations ADD COLUMN prompt_id blob;
ALTER TABLE conversations ADD COLUMN prompt_version integer;
