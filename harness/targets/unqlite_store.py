#!/usr/bin/env python3
"""UnQLite: a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from unqlite import UnQLite
from faultline_driver import drive


class Store:
    def __init__(self, directory): self.database = UnQLite(directory + "/db")

    def put(self, key, value):
        self.database.begin()
        self.database.store(key.decode(), value)
        self.database.commit()

    def delete(self, key):
        self.database.begin()
        if self.database.exists(key.decode()): self.database.delete(key.decode())
        self.database.commit()

    def dump(self):
        with self.database.cursor() as cursor: return [(key.encode(), value) for key, value in cursor]

    def close(self): self.database.close()


drive(Store)
