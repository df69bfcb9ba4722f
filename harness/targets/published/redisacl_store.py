#!/usr/bin/env python3
"""The users of Redis or Valkey: a user for each key, saved with ACL SAVE after each change. Values are patterns of keys."""
import os, socket, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(os.environ["FAULTLINE_SOCKET"])
        self.stream = self.connection.makefile("rwb")

    def command(self, *words):
        self.stream.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        self.stream.flush()
        return self.reply()

    def reply(self):
        line = self.stream.readline()
        if not line: raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-": raise RuntimeError(rest.decode())
        if kind == b"$": return None if rest == b"-1" else self.stream.read(int(rest) + 2)[:-2]
        if kind == b"*": return [self.reply() for _ in range(int(rest))]
        return rest

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

    def close(self): self.connection.close()


drive(Store, max_value=300)
