DROP TABLE schedule_runs;
DROP TABLE schedules;
DROP TABLE inbox;
DROP TABLE jobs;
