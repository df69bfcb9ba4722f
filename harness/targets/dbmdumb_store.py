#!/usr/bin/env python3
"""dbm.dumb of Python's standard library, which shelve uses where no other dbm is installed: a sync after each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dbm.dumb
from faultline_driver import drive


class Store:
    def __init__(self, directory): self.database = dbm.dumb.open(directory + "/db", "c")

    def put(self, key, value):
        self.database[key] = value
        self.database.sync()

    def delete(self, key):
        if key in self.database: del self.database[key]
        self.database.sync()

    def dump(self): return [(key, self.database[key]) for key in self.database.keys()]
    def close(self): self.database.close()


drive(Store)
