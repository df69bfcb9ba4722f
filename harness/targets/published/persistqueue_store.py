#!/usr/bin/env python3
"""persist-queue (PyPI): its queue in files, as a log of changes. The dump takes every item of the queue and applies it."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from faultline_driver import drive
from persistqueue import Queue
from persistqueue.exceptions import Empty


class Store:
    def __init__(self, directory): self.queue = Queue(directory + "/queue", tempdir=directory)
    def put(self, key, value): self.queue.put((key, value))
    def delete(self, key): self.queue.put((key, None))

    def dump(self):
        found = {}
        while True:
            try: key, value = self.queue.get(block=False)
            except Empty: return [(key, value) for key, value in found.items() if value is not None]
            found[key] = value

    def close(self): pass      # an item that was taken and not marked as done stays in the queue


drive(Store)
