#!/usr/bin/env python3
"""sqlitedict (PyPI): a dict in SQLite, committed after each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from sqlitedict import SqliteDict
from faultline_driver import drive

mode = next((word[7:] for word in sys.argv if word.startswith("--mode=")), "FULL")


class Store:
    def __init__(self, directory): self.dict = SqliteDict(directory + "/dict.sqlite", journal_mode=mode)

    def put(self, key, value):
        self.dict[key.decode()] = value
        self.dict.commit(blocking=True)

    def delete(self, key):
        self.dict.pop(key.decode(), None)
        self.dict.commit(blocking=True)

    def dump(self): return [(key.encode(), value) for key, value in self.dict.items()]
    def check(self): return self.dict.conn.select_one("PRAGMA integrity_check")[0]
    def close(self): self.dict.close()


drive(Store)
