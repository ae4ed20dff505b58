"""Rules about what a statement locks, and for how long.

Locks and scans were measured on PostgreSQL 15 (pg_locks, and "verifying table" and "rewriting
table" with client_min_messages = debug1) and on MariaDB 10.11 (which ALGORITHM and LOCK the server
accepts). What is stated of other versions comes from the manuals that the rules name.
"""

from .constraints import blocking_unique, constraint_scan, set_not_null
from .indexes import blocking_index, concurrent_if_not_exists, concurrently_in_transaction
from .tables import blocks_readers, table_rewrite, type_change
from .transactions import autocommit_mixed, transaction_control

__all__ = [
    "autocommit_mixed",
    "blocking_index",
    "blocking_unique",
    "blocks_readers",
    "concurrent_if_not_exists",
    "concurrently_in_transaction",
    "constraint_scan",
    "set_not_null",
    "table_rewrite",
    "transaction_control",
    "type_change",
]
