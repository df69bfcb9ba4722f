#!/usr/bin/env python3
"""Mosquitto through MQTT 3.1.1, on its port: a retained message for each key, acknowledged by PUBACK."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import socket
from faultline_driver import drive


def text(data): return len(data).to_bytes(2, "big") + data


class Store:
    def __init__(self, directory):
        self.socket = socket.create_connection(("127.0.0.1", int(os.environ["FAULTLINE_PORT"])), timeout=20)
        self.number = 0
        self.send(0x10, text(b"MQTT") + b"\x04\x02\x00\x3c" + text(b"faultline"))
        if self.receive()[1][1]: raise ConnectionError("the broker refused the connection")

    def send(self, kind, body):
        size, rest = b"", len(body)
        while rest > 127: size, rest = size + bytes([rest & 127 | 128]), rest >> 7
        self.socket.sendall(bytes([kind]) + size + bytes([rest]) + body)

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part: raise ConnectionError("the broker closed the connection")
            data += part
        return data

    def receive(self):
        kind, size, shift = self.read(1)[0], 0, 0
        while True:
            byte = self.read(1)[0]
            size, shift = size | (byte & 127) << shift, shift + 7
            if byte < 128: return kind, self.read(size)

    def publish(self, topic, message):
        self.number += 1
        self.send(0x33, text(topic) + self.number.to_bytes(2, "big") + message)    # retained, at least once
        while self.receive()[0] != 0x40: pass

    def put(self, key, value): self.publish(b"kv/" + key, b"+" + value)
    def delete(self, key): self.publish(b"kv/" + key, b"")    # an empty message removes the retained one

    def dump(self):
        self.send(0x82, b"\0\1" + text(b"kv/#") + b"\0")
        entries = {}
        self.send(0xc0, b"")    # a ping is answered after the retained messages
        while True:
            kind, body = self.receive()
            if kind == 0xd0: return entries.items()
            if kind >> 4 == 3:
                end = 2 + int.from_bytes(body[:2], "big")
                entries[body[5:end]] = body[end + 1:]

    def close(self): self.socket.close()


drive(Store)
