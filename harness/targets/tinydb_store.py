#!/usr/bin/env python3
"""TinyDB: a document for each key, in one JSON file that each change rewrites."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from tinydb import TinyDB, where
from faultline_driver import drive


class Store:
    def __init__(self, directory): self.database = TinyDB(directory + "/db.json")
    def put(self, key, value): self.database.upsert({"k": key.hex(), "v": value.hex()}, where("k") == key.hex())
    def delete(self, key): self.database.remove(where("k") == key.hex())
    def dump(self): return [(bytes.fromhex(row["k"]), bytes.fromhex(row["v"])) for row in self.database.all()]
    def close(self): self.database.close()


drive(Store, max_value=300)
