#!/usr/bin/python3
"""PostgreSQL through psycopg2 (Debian: python3-psycopg2): a table of keys and values, a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import psycopg2
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        self.connection = psycopg2.connect(
            host="127.0.0.1", port=os.environ["FAULTLINE_PORT"], user="postgres", dbname="postgres")
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        if sys.argv[1] == "workload":
            self.cursor.execute("CREATE TABLE IF NOT EXISTS kv (k bytea PRIMARY KEY, v bytea NOT NULL)")

    def put(self, key, value):
        self.cursor.execute(
            "INSERT INTO kv VALUES (%s, %s) ON CONFLICT (k) DO UPDATE SET v = excluded.v", (key, value))

    def delete(self, key): self.cursor.execute("DELETE FROM kv WHERE k = %s", (key,))

    def dump(self):
        try: self.cursor.execute("SELECT k, v FROM kv")
        except psycopg2.errors.UndefinedTable: return []    # the crash came before it
        return [(bytes(key), bytes(value)) for key, value in self.cursor]

    def close(self): self.connection.close()


drive(Store)
