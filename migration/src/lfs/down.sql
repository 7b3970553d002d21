DROP TABLE library_locks;
DROP TABLE library_objects;
DROP TABLE libraries;
