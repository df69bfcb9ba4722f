#!/usr/bin/env python3
"""etcd through its JSON gateway (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/)."""
import base64, http.client, json, os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from faultline_driver import drive, text


class Store:
    def __init__(self, directory): self.connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["FAULTLINE_PORT"]))

    def ask(self, call, **fields):
        self.connection.request("POST", "/v3/kv/" + call, json.dumps(fields))
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200: raise RuntimeError(f"{call}: {answer.status} {body.decode(errors='replace')}")
        return json.loads(body)

    def put(self, key, value): self.ask("put", key=text(key), value=text(value))
    def delete(self, key): self.ask("deleterange", key=text(key))

    def dump(self):
        found = self.ask("range", key=text(b"\0"), range_end=text(b"\0")).get("kvs", [])
        return [(base64.b64decode(one["key"]), base64.b64decode(one.get("value", ""))) for one in found]

    def close(self): self.connection.close()


drive(Store)
