#!/usr/bin/env python3
"""The LSM store of SQLite 4 (lsm-db): a write-ahead log and a log-structured tree in one file."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from lsm import LSM
from faultline_driver import drive

safety = {"full": 2, "normal": 1, "off": 0}[next((word[9:] for word in sys.argv if word.startswith("--safety=")), "full")]


class Store:
    def __init__(self, directory): self.database = LSM(directory + "/db", write_safety=safety)
    def put(self, key, value): self.database[key] = value
    def delete(self, key): self.database.delete(key)
    def dump(self): return [(bytes(key), bytes(value)) for key, value in self.database]
    def close(self): self.database.close()


drive(Store)
