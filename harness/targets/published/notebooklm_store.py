#!/usr/bin/env python3
"""The file of cookies and settings of notebooklm-py (PyPI), written by its atomic_write_json: all keys in one file."""
import importlib.util, os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import json
from pathlib import Path
from faultline_driver import drive

# The module alone: the package would import a browser.
place = next(path for path in sys.path if os.path.exists(path + "/notebooklm/_atomic_io.py"))
spec = importlib.util.spec_from_file_location("atomic_io", place + "/notebooklm/_atomic_io.py")
atomic_io = importlib.util.module_from_spec(spec)
spec.loader.exec_module(atomic_io)


class Store:
    def __init__(self, directory):
        self.path = Path(directory, "storage_state.json")
        self.content = json.loads(self.path.read_text()) if self.path.exists() else {}

    def save(self): atomic_io.atomic_write_json(self.path, self.content)

    def put(self, key, value):
        self.content[key.decode()] = value.hex()
        self.save()

    def delete(self, key):
        self.content.pop(key.decode(), None)
        self.save()

    def dump(self): return [(key.encode(), bytes.fromhex(value)) for key, value in self.content.items()]
    def close(self): pass


drive(Store, max_value=300)
