DROP TABLE foreign_standings;
DROP TABLE hook_events;
