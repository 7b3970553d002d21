DROP TABLE presence;
DROP TABLE presence_nodes;
DROP TABLE room_reads;
DROP TABLE room_messages;
DROP TABLE room_sanctions;
DROP TABLE room_members;
DROP TABLE rooms;
