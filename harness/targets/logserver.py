#!/usr/bin/env python3
"""A small example server, and its client. The server keeps a log of JSON lines and answers on a Unix socket. It syncs each
line, or nothing with --sync=none.

    logserver.py serve DIRECTORY SOCKET     the server: `start` in the manifest
    logserver.py ping SOCKET                exits with 0 once it answers: `ready`
    logserver.py workload, recover          its client, with FAULTLINE_SOCKET
"""
import base64, json, os, signal, socket, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))


def serve(directory, path, syncs):
    log = os.open(directory + "/log", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    entries, size = {}, 0
    with open(log, "rb", closefd=False) as lines:
        for line in lines:
            try: key, value = json.loads(line) if line.endswith(b"\n") else None
            except (ValueError, TypeError): break    # a torn last line, which a crash can leave
            entries[key] = value
            size += len(line)
    os.ftruncate(log, size)
    if syncs:
        os.fsync(log)
        parent = os.open(directory, os.O_RDONLY)
        os.fsync(parent)
        os.close(parent)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as stream:
            for request in stream:
                words = json.loads(request)
                if words[0] == "set":
                    key, value = words[1:]
                    line = json.dumps([key, value]).encode() + b"\n"
                    while line: line = line[os.write(log, line):]    # a write may be short, as before an error
                    if syncs: os.fsync(log)
                    entries[key] = value
                    answer = "done"
                else: answer = [[key, value] for key, value in entries.items() if value is not None]
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


class Store:
    """The server's client. The directory is the server's: the client does not open it."""

    def __init__(self, directory):
        self.connection = connect(os.environ["FAULTLINE_SOCKET"])
        self.stream = self.connection.makefile("rwb")

    def ask(self, *words):
        self.stream.write(json.dumps(words).encode() + b"\n")
        self.stream.flush()
        answer = self.stream.readline()
        if not answer: raise ConnectionError("the server closed the connection")
        return json.loads(answer)

    def put(self, key, value): self.ask("set", key.decode(), base64.b64encode(value).decode())
    def delete(self, key): self.ask("set", key.decode(), None)
    def dump(self): return [(key.encode(), base64.b64decode(value)) for key, value in self.ask("dump")]
    def close(self): self.connection.close()


if __name__ == "__main__":
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if role == "serve": serve(sys.argv[2], sys.argv[3], "--sync=none" not in sys.argv)
    elif role == "ping": connect(sys.argv[2])
    else:
        from faultline_driver import drive
        drive(Store)
