#!/usr/bin/env python3
"""Turso, a database in Rust that reads SQLite's format: a table of keys and values, a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import turso
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        self.connection = turso.connect(directory + "/db")
        self.run("CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL)")

    def run(self, statement, *values):
        cursor = self.connection.cursor()
        cursor.execute(statement, values)
        rows = cursor.fetchall() if statement.startswith(("SELECT", "PRAGMA")) else []
        self.connection.commit()
        return rows

    def put(self, key, value): self.run("INSERT INTO kv VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v", key, value)
    def delete(self, key): self.run("DELETE FROM kv WHERE k = ?", key)
    def dump(self): return [(bytes(key), bytes(value)) for key, value in self.run("SELECT k, v FROM kv")]

    def check(self):
        rows = [str(row[0]) for row in self.run("PRAGMA integrity_check")]
        return None if rows == ["ok"] else "; ".join(rows[:3])

    def close(self): self.connection.close()


drive(Store)
