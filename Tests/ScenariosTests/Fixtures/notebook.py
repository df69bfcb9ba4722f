"""A small store for tests, with faults that can be switched on, each on its own:

    notebook.py FAULTS workload|recover          FAULTS: a comma-separated list, or none

A store is a snapshot (JSON, with its checksum) and a log of the writes since then, one line each with its checksum. After every
fourth write there is a new log, then a new snapshot is renamed into place, and then the old log is removed.

    creation    the first snapshot is written in place, in two steps
    rename      the directory is not synced after a snapshot was renamed, and before the old log is removed
    tail        a last line of the log that a crash cut short is an error, and not the end
    mute        every error says the same
    place       errors name the directory that the store is in, and the process
    fickle      every second recovery shows nothing
    weak        the same, but a process that recovers one directory alone is right
    once        the third recovery of all (counted in the file MARK) is killed
    hang        recovering a snapshot of more than four keys never ends
    blobs       values are files with random names, which are not synced
"""
import base64, binascii, json, os, random, signal, sys, time

faults, role = set(sys.argv[1].split(",")), sys.argv[2]
names = {"snapshot": "snap,shot 1\n.db", "log": "my log", "new": "a new\tone"}


def path(directory, name, generation=0):
    return os.path.join(directory, names[name] + (f" {generation}" if generation else ""))


def fail(directory, reason):
    if "mute" in faults:
        reason = "corrupt"
    if "place" in faults:
        reason = f"{directory}/db: {reason} (process {os.getpid()}, {id(reason):#x})"
    raise ValueError(reason)


def sealed(text):
    return b"%08x %s" % (binascii.crc32(text), text)


def unsealed(line):
    """The text of a line with its checksum; None where that is wrong."""
    return line[9:] if len(line) > 9 and line[:9] == b"%08x " % binascii.crc32(line[9:]) else None


def write(file, *texts):
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for text in texts:
        os.write(descriptor, text)
    os.fsync(descriptor)
    os.close(descriptor)


def sync_directory(directory):
    descriptor = os.open(directory, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


class Store:
    def __init__(self, directory):
        self.directory, self.generation, self.values, self.pending = directory, 0, {}, 0
        try:
            raw = open(path(directory, "snapshot"), "rb").read()
        except FileNotFoundError:
            return
        text = unsealed(raw)
        if text is None:
            fail(directory, "the snapshot is cut short" if raw else "the snapshot is empty")
        self.generation, self.values = json.loads(text)
        following = path(directory, "log", self.generation + 1)
        if os.path.exists(following) and os.path.getsize(following) > 0:
            fail(directory, f"the snapshot is of generation {self.generation}, and there is a later log")
        try:
            lines = open(path(directory, "log", self.generation), "rb").read().split(b"\n")
        except FileNotFoundError:
            fail(directory, f"the log of generation {self.generation} is missing")
        for number, line in enumerate(lines[:-1] if lines[-1] == b"" else lines):
            text = unsealed(line)
            if text is None:
                if "tail" in faults:
                    fail(directory, f"line {number} of the log is damaged")
                break
            key, value = json.loads(text)
            self.values[key] = value

    def snapshot(self):
        self.generation += 1
        write(path(self.directory, "log", self.generation))
        sync_directory(self.directory)
        text = sealed(json.dumps([self.generation, self.values]).encode())
        if "creation" in faults and self.generation == 1:
            write(path(self.directory, "snapshot"), text[:9], text[9:])
            return sync_directory(self.directory)
        write(path(self.directory, "new"), text)
        os.rename(path(self.directory, "new"), path(self.directory, "snapshot"))
        if "rename" not in faults or self.generation == 1:
            sync_directory(self.directory)
        if self.generation > 1:
            os.unlink(path(self.directory, "log", self.generation - 1))

    def create(self):
        if self.generation == 0:
            self.snapshot()

    def put(self, key, value):
        self.values[key] = value
        write(path(self.directory, "log", self.generation), sealed(json.dumps([key, value]).encode()) + b"\n")
        self.pending += 1
        if self.pending == 4:
            self.pending = 0
            self.snapshot()


class Blobs:
    """Values in files with random names, of which an index tells."""

    def __init__(self, directory):
        self.directory, self.values = directory, {}
        try:
            lines = open(directory + "/index").read().split("\n")[:-1]
        except FileNotFoundError:
            return
        for line in lines:
            try:
                key, name = line.split(" ")
                self.values[key] = open(f"{directory}/objects/{name}").read()
            except (ValueError, FileNotFoundError):
                pass

    def create(self):
        os.makedirs(self.directory + "/objects", exist_ok=True)
        sync_directory(self.directory)

    def put(self, key, value):
        name = random.Random(key + value).randbytes(10).hex()
        name = f"{name[:2]}/{name[2:]}"
        os.makedirs(f"{self.directory}/objects/{name[:2]}", exist_ok=True)
        descriptor = os.open(f"{self.directory}/objects/{name}", os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, value.encode())
        os.close(descriptor)
        write(self.directory + "/index", f"{key} {name}\n".encode())


def opened(directory):
    return (Blobs if "blobs" in faults else Store)(directory)


def base(text):
    return base64.b64encode(text.encode()).decode()


def workload():
    store = opened(os.environ["FAULTLINE_DIR"])
    store.create()
    oracle = os.open(os.environ["FAULTLINE_ORACLE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    first, count = int(os.environ["FAULTLINE_FIRST_SEQ"]), int(os.environ["FAULTLINE_OPS"])
    for seq in range(first, first + count):
        draw = random.Random(f"{os.environ['FAULTLINE_SEED']} {seq}")
        key, value = f"k{draw.randrange(6)}", f"{seq} " + "x" * draw.choice([10, 1200])
        line = {"op": "put", "seq": seq, "key": base(key), "payload": base(value)}
        os.write(oracle, json.dumps({**line, "phase": "begin"}).encode() + b"\n")
        os.fdatasync(oracle)
        store.put(key, value)
        os.write(oracle, json.dumps(line).encode() + b"\n")
        os.fdatasync(oracle)


def misbehave(store, number):
    if "once" in faults:
        mark = os.open(os.environ["MARK"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(mark, b"x")
        if os.fstat(mark).st_size == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    if "hang" in faults and len(store.values) > 4:
        time.sleep(1000)
    if "fickle" in faults and random.random() < 0.5 or "weak" in faults and number % 2 == 1:
        store.values = {}


def recover():
    for number, line in enumerate(sys.stdin):
        try:
            store = opened(line[:-1])
            misbehave(store, number)
            lines = [json.dumps({"key": base(key), "payload": base(value)}) for key, value in store.values.items()]
            lines.append('{"end":true}')
        except Exception as error:
            lines = [json.dumps({"error": str(error)})]
        print("\n".join(lines), flush=True)


workload() if role == "workload" else recover()
