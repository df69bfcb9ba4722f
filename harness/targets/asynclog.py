#!/usr/bin/env python3
"""A store that never syncs. It promises only that a crash loses a tail of the writes. With --logs=two it breaks this:

every other write goes to a second log, and each log loses its own tail.
"""
import json, os, sys, zlib

def text(data):
    import base64
    return base64.b64encode(data).decode()

def entries(path):
    """The size and the [key, payload] of each entry, up to the first one that is torn."""
    try:
        log = open(path, "rb")
    except FileNotFoundError:
        return
    for line in log:
        crc, _, body = line.rstrip(b"\n").partition(b" ")
        if not line.endswith(b"\n") or crc != b"%08x" % zlib.crc32(body): return
        yield len(line), json.loads(body)

def logs(directory, count): return [directory + f"/log{number}" for number in range(count)]

def recover(directory, count):
    state = {}
    for path in logs(directory, count):
        for _, (key, payload) in entries(path):
            if payload is None: state.pop(key, None)
            else: state[key] = payload
    for key, payload in state.items(): print(json.dumps(dict(key=key, payload=payload)))
    print(json.dumps(dict(end=True)), flush=True)

def workload(directory, oracle, first, operations, count):
    files = []
    for path in logs(directory, count):
        whole = sum(size for size, _ in entries(path))
        files.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.ftruncate(files[-1], whole)
        os.lseek(files[-1], whole, os.SEEK_SET)
    acks = os.open(oracle, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    def note(**line): os.write(acks, json.dumps(line).encode() + b"\n"); os.fdatasync(acks)
    for seq in range(first, first + operations):
        number = seq * 7 % 10
        key = text(b"k%d" % number)
        payload = None if seq % 13 == 0 else text(b"%d " % seq + b"x" * (seq * 37 % 300))
        operation = dict(op="del", seq=seq, key=key) if payload is None else dict(op="put", seq=seq, key=key, payload=payload)
        note(**operation, phase="begin")
        body = json.dumps([key, payload]).encode()
        os.write(files[number % count], b"%08x %s\n" % (zlib.crc32(body), body))
        note(**operation)

count = 2 if "--logs=two" in sys.argv else 1
if sys.argv[1] == "recover":
    for line in sys.stdin.buffer: recover(os.fsdecode(line[:-1]), count)
else:
    workload(os.environ["FAULTLINE_DIR"], os.environ["FAULTLINE_ORACLE"], int(os.environ.get("FAULTLINE_FIRST_SEQ", "1")),
             int(os.environ["FAULTLINE_OPS"]), count)
