#!/usr/bin/env python3
"""ZooKeeper through Kazoo: a node for each key."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError, NodeExistsError
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        self.client = KazooClient(hosts="127.0.0.1:" + os.environ["FAULTLINE_PORT"], timeout=10)
        self.client.start(timeout=20)

    def put(self, key, value):
        try: self.client.create("/" + key.decode(), value)
        except NodeExistsError: self.client.set("/" + key.decode(), value)

    def delete(self, key):
        try: self.client.delete("/" + key.decode())
        except NoNodeError: pass

    def dump(self):
        names = [name for name in self.client.get_children("/") if name != "zookeeper"]
        return [(name.encode(), self.client.get("/" + name)[0]) for name in names]

    def close(self):
        self.client.stop()
        self.client.close()


drive(Store)
