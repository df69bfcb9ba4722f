#!/usr/bin/env python3
"""A small example store: a log of JSON lines. It syncs each line, or nothing with --sync=none."""
import base64, json, os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from faultline_driver import drive, text

class Store:
    syncs = "--sync=none" not in sys.argv

    def __init__(self, directory):
        """Reads the log and cuts off a torn last line, which a crash can leave."""
        self.entries, size = {}, 0
        self.log = os.open(directory + "/log", os.O_RDWR | os.O_CREAT, 0o600)
        with open(self.log, "rb", closefd=False) as log:
            for line in log:
                try: key, value = json.loads(line) if line.endswith(b"\n") else None
                except (ValueError, TypeError): break
                self.apply(base64.b64decode(key), None if value is None else base64.b64decode(value))
                size += len(line)
        os.ftruncate(self.log, size)
        os.lseek(self.log, size, os.SEEK_SET)
        if self.syncs:
            os.fsync(self.log)
            parent = os.open(directory, os.O_RDONLY)
            os.fsync(parent)
            os.close(parent)

    def apply(self, key, value):
        if value is None: self.entries.pop(key, None)
        else: self.entries[key] = value

    def put(self, key, value):
        line = json.dumps([text(key), None if value is None else text(value)]).encode() + b"\n"
        while line: line = line[os.write(self.log, line):]    # a write may be short, as before an error
        if self.syncs: os.fsync(self.log)
        self.apply(key, value)

    def delete(self, key): self.put(key, None)

    def dump(self): return self.entries.items()

    def close(self): os.close(self.log)

drive(Store)
