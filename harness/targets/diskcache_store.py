#!/usr/bin/env python3
"""DiskCache (PyPI): a cache in SQLite, with large values in files of their own. Nothing is evicted here."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import diskcache
from faultline_driver import drive

settings = {"sqlite_synchronous": 2} if "--synchronous=full" in sys.argv else {}


class Store:
    def __init__(self, directory):
        self.cache = diskcache.Cache(directory, disk_min_file_size=1024, eviction_policy="none", **settings)

    def put(self, key, value): self.cache.set(key, value, retry=False)
    def delete(self, key): self.cache.delete(key)

    def dump(self):
        for key in list(self.cache.iterkeys()):
            value = self.cache.get(key)
            if value is None: raise RuntimeError(f"key {key!r} is listed, and its value is missing")
            yield key, value

    def check(self):
        # Files and directories that no row names are left by a crash, and harm nothing.
        said = [str(warning.message) for warning in self.cache.check()]
        return "; ".join([text for text in said if not text.startswith(("unknown file", "empty directory"))][:3])

    def close(self): self.cache.close()


drive(Store)
