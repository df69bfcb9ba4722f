#!/usr/bin/env python3
"""The users of Redis or Valkey: a user for each key, saved with ACL SAVE after each change. Values are patterns of keys."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from redis_store import Store as Redis, drive


class Store(Redis):
    def put(self, key, value):
        self.command(b"ACL", b"SETUSER", key, b"reset", b"on", b"nopass", b"~v:" + value.hex().encode())
        self.command(b"ACL", b"SAVE")

    def delete(self, key):
        self.command(b"ACL", b"DELUSER", key)
        self.command(b"ACL", b"SAVE")

    def dump(self):
        for line in self.command(b"ACL", b"LIST"):
            words = line.split(b" ")
            if words[1] == b"default": continue
            yield words[1], bytes.fromhex(next(word[3:] for word in words if word.startswith(b"~v:")).decode())


drive(Store, max_value=300)
