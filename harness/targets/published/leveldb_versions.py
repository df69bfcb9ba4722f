#!/usr/bin/python3
"""LevelDB 1.20, which the module leveldb 0.201 (PyPI) has in it, and 1.23 of Debian (python3-plyvel). Each write is synced."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from faultline_driver import drive

if "--version=1.20" in sys.argv:
    import leveldb

    class Store:
        def __init__(self, directory): self.db = leveldb.LevelDB(directory)
        def put(self, key, value): self.db.Put(key, value, sync=True)
        def delete(self, key): self.db.Delete(key, sync=True)
        def dump(self): return [(bytes(key), bytes(value)) for key, value in self.db.RangeIter()]
        def close(self): del self.db
else:
    import plyvel

    class Store:
        def __init__(self, directory): self.db = plyvel.DB(directory, create_if_missing=True)
        def put(self, key, value): self.db.put(key, value, sync=True)
        def delete(self, key): self.db.delete(key, sync=True)
        def dump(self): return list(self.db)
        def close(self): self.db.close()


drive(Store)
