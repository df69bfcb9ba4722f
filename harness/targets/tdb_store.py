#!/usr/bin/python3
"""TDB, Samba's trivial database (Debian: python3-tdb): a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import tdb
from faultline_driver import drive

FLAGS = {"sync": tdb.DEFAULT, "nosync": tdb.NOSYNC}
mode = next((word[7:] for word in sys.argv if word.startswith("--mode=")), "sync")


class Store:
    def __init__(self, directory):
        self.database = tdb.Tdb(directory + "/db.tdb", tdb_flags=FLAGS[mode], flags=os.O_RDWR | os.O_CREAT)

    def change(self, body):
        self.database.transaction_start()
        body()
        self.database.transaction_commit()

    def put(self, key, value): self.change(lambda: self.database.store(key, value, tdb.REPLACE))
    def delete(self, key): self.change(lambda: key in self.database and self.database.delete(key))
    def dump(self): return [(key, self.database.get(key)) for key in self.database]
    def close(self): self.database.close()


drive(Store)
