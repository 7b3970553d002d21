-- Answers that were asked for by prompts: which version it was and how it went, never what was said.
CREATE TABLE prompt_generations (
  id uuid NOT NULL PRIMARY KEY,
  prompt_id uuid NOT NULL REFERENCES prompts (id),
  version bigint NOT NULL,
  user_id uuid NOT NULL REFERENCES users (id),
  model text NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'refused')),
  reason text,
  took_ms bigint,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  CHECK ((ended_at IS NULL) = (state = 'running'))
);
CREATE INDEX prompt_generations_prompt ON prompt_generations (prompt_id, started_at);
CREATE INDEX prompt_generations_person ON prompt_generations (user_id, id);
CREATE INDEX prompt_generations_open ON prompt_generations (started_at) WHERE state = 'running';
CREATE INDEX prompt_generations_ended ON prompt_generations (ended_at) WHERE ended_at IS NOT NULL;

-- How answers turned out, by what was measured; a flag is 0 or 1.
CREATE TABLE prompt_outcomes (
  generation_id uuid NOT NULL REFERENCES prompt_generations (id) ON DELETE CASCADE,
  metric text NOT NULL,
  is_flag boolean NOT NULL,
  value double precision NOT NULL,
  said_at timestamptz NOT NULL,
  PRIMARY KEY (generation_id, metric)
);

-- What a call was made for, where a prompt asked; what was spent stays when that goes.
ALTER TABLE assistant_calls ADD COLUMN generation_id uuid;
CREATE INDEX assistant_calls_generation ON assistant_calls (generation_id) WHERE generation_id IS NOT NULL;

-- The version of a prompt that says how a model is to behave in a conversation; what was told stays when that goes.
ALTER TABLE conversations ADD COLUMN prompt_id uuid;
ALTER TABLE conversations ADD COLUMN prompt_version bigint;
