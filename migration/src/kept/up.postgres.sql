-- A call may be one that what was kept was given for.
ALTER TABLE assistant_calls DROP CONSTRAINT assistant_calls_state_check,
  ADD CONSTRAINT assistant_calls_state_check CHECK (state IN ('reserved', 'settled', 'estimated', 'overrun', 'failed', 'cached'));
