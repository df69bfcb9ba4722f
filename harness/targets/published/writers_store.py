#!/usr/bin/env python3
"""Libraries from PyPI that write a file atomically: a file for each key."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from faultline_driver import drive

library = next(word[10:] for word in sys.argv if word.startswith("--library="))
if library == "atomicwriter":
    from atomicwriter import AtomicWriter

    def write(path, value):
        with AtomicWriter(path, overwrite=True) as writer: writer.write_bytes(value)
elif library == "atomicwrites":
    from atomicwrites import atomic_write

    def write(path, value):
        with atomic_write(path, overwrite=True, mode="wb") as file: file.write(value)


class Store:
    def __init__(self, directory): self.directory = directory
    def put(self, key, value): write(os.path.join(self.directory, key.decode()), value)

    def delete(self, key):
        try: os.unlink(os.path.join(self.directory, key.decode()))
        except FileNotFoundError: pass

    def dump(self):
        for name in os.listdir(self.directory):
            if not name.startswith((".", "tmp")):
                with open(os.path.join(self.directory, name), "rb") as file: yield name.encode(), file.read()

    def close(self): pass


drive(Store)
