"""Drives a store for Faultline. Copy this file beside your driver; it needs Python 3.8 and nothing else.

A driver is a class with your store's own calls:

    from faultline_driver import drive

    class Store:
        def __init__(self, directory): ...    # open; the directory may hold what a crash left
        def put(self, key, value): ...        # bytes; durable when it returns
        def delete(self, key): ...            # the same; the key may be absent
        def dump(self): ...                   # every (key, value), as bytes
        def close(self): ...                  # free locks, too: the next recovery may begin at once

    drive(Store)

A class with a method sync() is driven in groups: `group` calls of put and delete, one sync, then the acknowledgements.
A method check() asks the store's own checker after dump(), and returns its complaint; None if it has none.
Raise Refused from put or delete for an operation that the store refused although it is well. Any other exception there
ends the workload with exit status 1; from Store() or dump() it says that the store does not open.

Exit status: 0, 1 (the store failed), 2 (the driver was called wrongly). docs/targets.md is the whole protocol.
"""
import base64, json, os, random, sys, threading, time


class Refused(Exception): """The store refused one operation and goes on."""
class Usage(Exception): """The driver was called wrongly."""
def text(data): return base64.b64encode(data).decode("ascii")    # as the oracle and a dump need it


class Oracle:
    """The log of requests and answers. Each line is durable before the call returns. Thread safe.

    After `limit` acknowledgements it waits to be killed (FAULTLINE_ACKS)."""

    def __init__(self, path, limit=None):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.left, self.lock = limit, threading.Lock()

    def begin(self, operation): self._write(operation, phase="begin")
    def failed(self, operation): self._write(operation, phase="failed")

    def acknowledge(self, operation):
        with self.lock:
            if self.left is not None:
                while self.left == 0: time.sleep(3600)
                self.left -= 1
        self._write(operation)

    def _write(self, operation, **phase):
        rest = json.dumps({**operation, **phase}).encode("ascii") + b"\n"
        try:
            with self.lock:
                while rest: rest = rest[os.write(self.file, rest):]    # one write; more only if it was short
                os.fdatasync(self.file)
        except OSError as error:
            raise Usage(f"cannot write the oracle: {error}")


def put(seq, key, value): return {"op": "put", "seq": seq, "key": text(key), "payload": text(value)}
def delete(seq, key): return {"op": "del", "seq": seq, "key": text(key)}


def variable(name, default=None):
    value = os.environ.get(name) or default
    if value is None: raise Usage(f"{name} is not set: run the driver with faultline run MANIFEST --scenario smoke")
    return value


def number(name, default=None):
    try: return int(variable(name, default))
    except ValueError: raise Usage(f"{name}={os.environ[name]!r} is not a number")


def draw(seed, seq, odd_keys=False, max_value=3000):
    """Operation `seq`, from the seed alone: its key and its value, None for a delete."""
    stream = random.Random(f"{seed} {seq}")
    index, length = stream.randrange(max(1, number("FAULTLINE_KEYS", 10))), number("FAULTLINE_KEY_LEN", 0)
    key = b"k%02d" % index
    if length: key = (b"k" + b"%d" % index).rjust(length, b"0")[-length:]
    elif odd_keys: key = [b"\x00%d", b"\xff\xfe/%d\n", b"../%d \"\\'", b"%d", b"=" * 200 + b"%d"][index % 5] % index
    if stream.randrange(12) == 0: return key, None
    kind, length = stream.randrange(64), number("FAULTLINE_VALUE_LEN", -1)
    if length < 0: length = 65536 if kind == 0 and max_value >= 3000 else 0 if kind < 5 else stream.randrange(max_value)
    mark = b"%d " % seq
    return key, (mark + bytes(stream.getrandbits(8) for _ in range(length - len(mark))))[:length]


def workload(Store, directory, group, **draws):
    seed, first, count = os.environ.get("FAULTLINE_SEED", "1"), number("FAULTLINE_FIRST_SEQ", 1), number("FAULTLINE_OPS")
    limit = number("FAULTLINE_ACKS", -1)
    oracle = Oracle(variable("FAULTLINE_ORACLE"), limit if limit >= 0 else None)
    seconds = number("FAULTLINE_DURATION", 0)
    end = time.monotonic() + seconds if seconds else None
    store = Store(directory)
    size = group if hasattr(store, "sync") else 1
    for start in range(first, first + count, size):
        if end and time.monotonic() > end: break
        waiting = []
        try:
            for seq in range(start, min(start + size, first + count)):
                key, value = draw(seed, seq, **draws)
                operation = delete(seq, key) if value is None else put(seq, key, value)
                oracle.begin(operation)
                waiting.append(operation)
                try: store.delete(key) if value is None else store.put(key, value)
                except Refused: oracle.failed(waiting.pop())
            if hasattr(store, "sync"): store.sync()
        except Usage: raise
        except Exception:
            for operation in waiting: oracle.failed(operation)
            raise
        for operation in waiting: oracle.acknowledge(operation)
    store.close()


def recover(Store, directory):
    """The lines of one dump. The store is closed, and its locks are free, before the first is printed."""
    try:
        store = Store(directory)
        try:
            lines = [{"key": text(key), "payload": text(value)} for key, value in store.dump()]
            if hasattr(store, "check"): lines.append({"check": store.check() or "ok"})
        finally: store.close()
        lines.append({"end": True})
    except Exception as error:
        lines = [{"error": f"{type(error).__name__}: {error}"}]
    return "".join(json.dumps(line) + "\n" for line in lines).encode("ascii")


def drive(Store, group=1, odd_keys=False, max_value=3000):
    """Runs the command that the first argument names, `workload` or `recover`, and exits. Other arguments are yours."""
    status, output = 0, os.dup(1)
    os.dup2(2, 1)    # what a library prints must not get into the dump
    try:
        role = sys.argv[1] if len(sys.argv) > 1 else ""
        if role == "workload": workload(Store, variable("FAULTLINE_DIR"), group, odd_keys=odd_keys, max_value=max_value)
        elif role == "init": Store(variable("FAULTLINE_DIR")).close()    # `init` of a manifest: an empty store
        elif role != "recover": raise Usage(f"usage: {sys.argv[0]} workload|recover|init")
        else:
            once = os.environ.get("FAULTLINE_DIR")    # not set for a persistent recover process
            for directory in [once] if once else (os.fsdecode(line.rstrip(b"\n")) for line in sys.stdin.buffer):
                answer = recover(Store, directory)
                while answer: answer = answer[os.write(output, answer):]
    except Exception as error:
        status = 2 if isinstance(error, Usage) else 1
        os.write(2, f"{type(error).__name__}: {error}\n".encode("utf-8", "backslashreplace"))
    sys.stdout.flush()
    os._exit(status)    # at once: threads and destructors of a library cannot hold up or fail the end
