#!/usr/bin/python3
"""LevelDB through plyvel (Debian: python3-plyvel). The small write buffer makes it compact during a short workload."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import plyvel
from faultline_driver import drive

sync = "--sync=on" in sys.argv
marker = b"\xff"     # no key of the workload


class Store:
    def __init__(self, directory):
        self.database = plyvel.DB(directory, create_if_missing=True, write_buffer_size=64 << 10)

    def put(self, key, value): self.database.put(key, value, sync=sync)
    def delete(self, key): self.database.delete(key, sync=sync)
    def dump(self): return [(key, value) for key, value in self.database if key != marker]
    def close(self): self.database.close()


if "--sync=last" in sys.argv: Store.sync = lambda self: self.database.put(marker, b"", sync=True)
drive(Store, group=4)
