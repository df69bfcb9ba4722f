#!/usr/bin/python3
"""GDBM through Python's standard module (Debian: python3-gdbm): a sync after each operation, or none."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dbm.gnu
from faultline_driver import drive

sync = "--sync=off" not in sys.argv


class Store:
    def __init__(self, directory): self.database = dbm.gnu.open(directory + "/db", "c" if sync else "cf")

    def put(self, key, value):
        self.database[key] = value
        if sync: self.database.sync()

    def delete(self, key):
        if key in self.database: del self.database[key]
        if sync: self.database.sync()

    def dump(self):
        key = self.database.firstkey()
        while key is not None:
            yield key, self.database[key]
            key = self.database.nextkey(key)

    def close(self): self.database.close()


drive(Store)
