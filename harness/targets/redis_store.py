#!/usr/bin/env python3
"""Redis through its protocol, on a Unix socket (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""
import os, socket, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
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

    def put(self, key, value): self.command(b"SET", key, value)
    def delete(self, key): self.command(b"DEL", key)
    def dump(self): return [(key, self.command(b"GET", key)) for key in self.command(b"KEYS", b"*")]
    def close(self): self.connection.close()


if __name__ == "__main__": drive(Store)
