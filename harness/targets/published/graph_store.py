#!/usr/bin/env python3
"""Kuzu, or Ladybug, which continues it: a node for each key, a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from faultline_driver import drive

store = __import__("ladybug" if "--ladybug" in sys.argv else "kuzu")


def decoded(value):
    try: return bytes.fromhex(value)
    except ValueError: return value.encode()      # not what was written: let Faultline see it


class Store:
    def __init__(self, directory):
        settings = {"throw_on_wal_replay_failure": False} if "--replay=tolerant" in sys.argv else {}
        self.database = store.Database(directory + "/db", buffer_pool_size=64 << 20, max_num_threads=1, max_db_size=1 << 30, **settings)
        self.connection = store.Connection(self.database, num_threads=1)
        self.connection.execute("CREATE NODE TABLE IF NOT EXISTS kv (k STRING, v STRING, PRIMARY KEY (k))")

    def put(self, key, value):
        self.connection.execute("MERGE (n:kv {k: $k}) SET n.v = $v", {"k": key.decode(), "v": value.hex()})

    def delete(self, key): self.connection.execute("MATCH (n:kv {k: $k}) DELETE n", {"k": key.decode()})

    def dump(self):
        found = self.connection.execute("MATCH (n:kv) RETURN n.k, n.v")
        rows = []
        while found.has_next(): rows.append(found.get_next())
        return [(key.encode(), decoded(value)) for key, value in rows]

    def close(self):
        if "workload" in sys.argv: os._exit(0)      # a workload that ends without the checkpoint of a clean end
        self.connection.close()
        self.database.close()


drive(Store, max_value=1500)
