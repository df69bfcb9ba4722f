#!/usr/bin/env python3
"""Drives my-store for Faultline. Put your store's calls into the five methods, and nothing else.

As it stands it drives an example: a file for each key, which each change replaces. It passes.
"""
import os
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        """Opens the store. The directory is empty, or holds what a crash left.

        If the store is a server (`server:` in the manifest), connect to it here, at os.environ["FAULTLINE_SOCKET"] or, on
        127.0.0.1, os.environ["FAULTLINE_PORT"]. The directory is the server's.
        """
        self.directory = directory

    def put(self, key, value):
        """Key and value are bytes. The write is durable when this returns: include the call that syncs."""
        new = self.directory + "/new"
        with open(new, "wb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        os.rename(new, self.directory + "/" + key.decode())
        self.sync_directory()

    def delete(self, key):
        """The same. The key may be absent."""
        try: os.unlink(self.directory + "/" + key.decode())
        except FileNotFoundError: pass
        self.sync_directory()

    def dump(self):
        """Every key with its value, as bytes."""
        for name in os.listdir(self.directory):
            if name == "new": continue
            with open(self.directory + "/" + name, "rb") as file: yield name.encode(), file.read()

    def close(self):
        """Frees the store's locks: the next recovery may begin at once."""

    def sync_directory(self):    # the example's own: a name is durable after a sync of its directory
        directory = os.open(self.directory, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)


drive(Store)
