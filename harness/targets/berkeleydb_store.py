#!/usr/bin/python3
"""Berkeley DB 5.3 through bsddb3 (Debian: python3-bsddb3): a transactional B-tree, a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bsddb3 import db
from faultline_driver import drive

FLAGS = {"sync": 0, "nosync": db.DB_TXN_NOSYNC, "write-nosync": db.DB_TXN_WRITE_NOSYNC}
mode = next((word[7:] for word in sys.argv if word.startswith("--mode=")), "sync")


class Store:
    def __init__(self, directory):
        self.environment = db.DBEnv()
        self.environment.set_lg_bsize(32 << 10)
        self.environment.set_lg_max(256 << 10)    # the default is a file of 10 MiB
        if FLAGS[mode]: self.environment.set_flags(FLAGS[mode], 1)
        self.environment.open(directory, db.DB_CREATE | db.DB_INIT_MPOOL | db.DB_INIT_LOG | db.DB_INIT_TXN
                              | db.DB_INIT_LOCK | db.DB_RECOVER | db.DB_PRIVATE)
        self.database = db.DB(self.environment)
        self.database.open("data.db", None, db.DB_BTREE, db.DB_CREATE | db.DB_AUTO_COMMIT)

    def put(self, key, value): self.database.put(key, value)

    def delete(self, key):
        try: self.database.delete(key)
        except db.DBNotFoundError: pass

    def dump(self): return self.database.items()

    def check(self):
        self.database.close()    # verify needs the file for itself
        try: db.DB(self.environment).verify("data.db")
        except db.DBError as error: return str(error)

    def close(self):
        try: self.database.close()
        except db.DBError: pass    # check closed it
        self.environment.close()


drive(Store)
