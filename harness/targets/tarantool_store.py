#!/usr/bin/env python3
"""Tarantool: a space of keys and values, a request for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import tarantool
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        self.connection = tarantool.Connection(None, os.environ["FAULTLINE_SOCKET"], encoding=None, reconnect_max_attempts=0)

    def put(self, key, value): self.connection.replace("kv", (key.decode(), value))
    def delete(self, key): self.connection.delete("kv", key.decode())

    def dump(self):
        return [(bytes(key), bytes(value)) for key, value in self.connection.select("kv", (), limit=1_000_000)]

    def close(self): self.connection.close()


drive(Store)
