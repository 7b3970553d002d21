DROP TABLE assistant_windows;
DROP TABLE assistant_calls;
