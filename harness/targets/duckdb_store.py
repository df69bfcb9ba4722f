#!/usr/bin/env python3
"""DuckDB: a table of keys and values, a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import duckdb
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        self.connection = duckdb.connect(directory + "/db", config={"threads": 1})
        self.connection.execute("CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL)")

    def put(self, key, value): self.connection.execute("INSERT OR REPLACE INTO kv VALUES (?, ?)", (key, value))
    def delete(self, key): self.connection.execute("DELETE FROM kv WHERE k = ?", (key,))
    def dump(self): return self.connection.execute("SELECT k, v FROM kv").fetchall()
    def close(self): self.connection.close()


if "--killed" in sys.argv: Store.close = lambda self: os._exit(0)      # a workload that ends without the checkpoint of a clean end
drive(Store)
