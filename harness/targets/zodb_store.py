#!/usr/bin/env python3
"""ZODB (PyPI) on its FileStorage: a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import BTrees.OOBTree, transaction, ZODB, ZODB.FileStorage, ZODB.scripts.fstest
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        self.database = ZODB.DB(ZODB.FileStorage.FileStorage(directory + "/data.fs"))
        self.connection = self.database.open()
        self.root = self.connection.root()
        if "kv" not in self.root:
            self.root["kv"] = BTrees.OOBTree.OOBTree()
            transaction.commit()

    def put(self, key, value):
        self.root["kv"][key] = value
        transaction.commit()

    def delete(self, key):
        if key in self.root["kv"]: del self.root["kv"][key]
        transaction.commit()

    def dump(self): return list(self.root["kv"].items())

    def check(self):
        try: ZODB.scripts.fstest.check(self.database.storage.getName())
        except ZODB.scripts.fstest.FormatError as error: return str(error)

    def close(self):
        transaction.abort()
        self.connection.close()
        self.database.close()


drive(Store)
