#!/usr/bin/python3
"""LMDB through its Python module (Debian: python3-lmdb): a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import lmdb
from faultline_driver import drive

FLAGS = {"default": {}, "nosync": {"sync": False}, "nometasync": {"metasync": False}, "writemap": {"writemap": True}}
mode = next((word[7:] for word in sys.argv if word.startswith("--mode=")), "default")


class Store:
    def __init__(self, directory): self.environment = lmdb.open(directory, map_size=4 << 20, **FLAGS[mode])

    def put(self, key, value):
        with self.environment.begin(write=True) as transaction: transaction.put(key, value)

    def delete(self, key):
        with self.environment.begin(write=True) as transaction: transaction.delete(key)

    def dump(self):
        with self.environment.begin() as transaction: return list(transaction.cursor())

    def close(self): self.environment.close()


drive(Store)
