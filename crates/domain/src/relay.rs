//! The relay: gives committed events their gap-free number and chains the audit log, on one node at a time.
