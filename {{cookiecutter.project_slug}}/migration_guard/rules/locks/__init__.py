"""Rules about what a statement locks, and for how long.

Locks and scans were measured on PostgreSQL 15 (pg_locks, and "verifying table" and "rewriting
table" with client_min_messages = debug1) and on MariaDB 10.11 (which ALGORITHM and LOCK the server
accepts). What is stated of other versions comes from the manuals that the rules name.
"""
