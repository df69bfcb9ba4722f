#!/usr/bin/env python3
"""A file for each key, replaced with care, or in one of five careless ways: what many programs do with their settings."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from faultline_driver import drive

mode = next((word[7:] for word in sys.argv if word.startswith("--mode=")), "careful")


class Store:
    def __init__(self, directory): self.directory = directory

    def put(self, key, value):
        path, new = self.directory + "/" + key.decode(), self.directory + "/new"
        if mode == "in-place": return self.write(path, value, sync=True)    # the old content is gone before the new is there
        self.write(new, value, sync=mode not in ("no-fsync", "no-sync", "rename-first"))
        os.rename(new, path)
        if mode == "rename-first": self.sync_path(path)                          # the name may be durable before the content
        if mode not in ("no-directory-sync", "no-sync"): self.sync_path(self.directory)

    def delete(self, key):
        try: os.unlink(self.directory + "/" + key.decode())
        except FileNotFoundError: pass
        if mode not in ("no-directory-sync", "no-sync"): self.sync_path(self.directory)

    def dump(self):
        for name in os.listdir(self.directory):
            if name == "new": continue
            with open(self.directory + "/" + name, "rb") as file: yield name.encode(), file.read()

    def close(self): pass

    def write(self, path, value, sync):
        with open(path, "wb") as file:
            file.write(value)
            file.flush()
            if sync: os.fsync(file.fileno())

    def sync_path(self, path):
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.close(file)


drive(Store)
