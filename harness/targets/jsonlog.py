#!/usr/bin/env python3
"""A small example store: a log of JSON lines. It syncs each line, or nothing with --sync=none."""
import base64, json, os, random, sys

def text(data): return base64.b64encode(data).decode()

def load(directory):
    """The live entries, and the size of the log without its torn last line. A crash can leave such a line."""
    state, size = {}, 0
    try:
        log = open(directory + "/log", "rb")
    except FileNotFoundError:
        return state, size
    for line in log:
        try:
            entry = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            entry = None
        if entry is None: break
        if entry["payload"] is None: state.pop(entry["key"], None)
        else: state[entry["key"]] = entry["payload"]
        size += len(line)
    return state, size

def workload(directory, oracle, seed, first, count, syncs):
    _, size = load(directory)
    log = os.open(directory + "/log", os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(log, size)
    os.lseek(log, size, os.SEEK_SET)
    if syncs: os.fsync(log); os.fsync(os.open(directory, os.O_RDONLY))
    acks = os.open(oracle, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    def note(**line): os.write(acks, json.dumps(line).encode() + b"\n"); os.fdatasync(acks)
    for seq in range(first, first + count):
        draw = random.Random(f"{seed} {seq}")
        key = text(b"k%d" % draw.randrange(20))
        value = None if seq % 23 == 0 else text(b"%d " % seq + draw.randbytes(draw.randrange(3000)))
        operation = dict(op="del", seq=seq, key=key) if value is None else dict(op="put", seq=seq, key=key, payload=value)
        note(**operation, phase="begin")
        os.write(log, json.dumps(dict(key=key, payload=value)).encode() + b"\n")
        if syncs: os.fsync(log)
        note(**operation)

def recover():
    for line in sys.stdin.buffer:
        state, _ = load(os.fsdecode(line[:-1]))
        for key, payload in state.items(): print(json.dumps(dict(key=key, payload=payload)))
        print(json.dumps(dict(end=True)), flush=True)

if sys.argv[1] == "recover": recover()
else:
    setting = os.environ.get
    workload(setting("FAULTLINE_DIR"), setting("FAULTLINE_ORACLE"), setting("FAULTLINE_SEED"),
             int(setting("FAULTLINE_FIRST_SEQ", "1")), int(setting("FAULTLINE_OPS")), "--sync=none" not in sys.argv)
