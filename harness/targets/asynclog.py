#!/usr/bin/env python3
"""A store that never syncs. It promises only that a crash loses a tail of the writes. With --logs=two it breaks this:

every other write goes to a second log, and each log loses its own tail.
"""
import base64, json, os, sys, zlib
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from faultline_driver import drive, text

class Store:
    def __init__(self, directory):
        self.entries, self.logs = {}, []
        for number in range(2 if "--logs=two" in sys.argv else 1):
            log = os.open(directory + f"/log{number}", os.O_RDWR | os.O_CREAT, 0o600)
            self.logs.append(log)
            os.ftruncate(log, self.read(log))
            os.lseek(log, 0, os.SEEK_END)

    def read(self, log):
        """Applies the entries up to the first one that is torn. Returns their size."""
        size = 0
        with open(log, "rb", closefd=False) as lines:
            for line in lines:
                crc, _, body = line.rstrip(b"\n").partition(b" ")
                if not line.endswith(b"\n") or crc != b"%08x" % zlib.crc32(body): break
                key, value = json.loads(body)
                self.apply(base64.b64decode(key), None if value is None else base64.b64decode(value))
                size += len(line)
        return size

    def apply(self, key, value):
        if value is None: self.entries.pop(key, None)
        else: self.entries[key] = value

    def put(self, key, value):
        body = json.dumps([text(key), None if value is None else text(value)]).encode()
        log, line = self.logs[key[-1] % len(self.logs)], b"%08x %s\n" % (zlib.crc32(body), body)
        while line: line = line[os.write(log, line):]    # a write may be short, as before an error
        self.apply(key, value)

    def delete(self, key): self.put(key, None)

    def dump(self): return self.entries.items()

    def close(self):
        for log in self.logs: os.close(log)

drive(Store, max_value=300)
