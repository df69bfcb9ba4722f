#!/usr/bin/env python3
"""Beanstalkd, a queue: a job for each change. The dump reserves every job and applies the changes in order."""
import os, socket, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        self.connection = socket.create_connection(("127.0.0.1", int(os.environ["FAULTLINE_PORT"])))
        self.stream = self.connection.makefile("rwb")

    def ask(self, line, body=b""):
        self.stream.write(line + b"\r\n" + body)
        self.stream.flush()
        answer = self.stream.readline().split()
        if not answer: raise ConnectionError("the server closed the connection")
        return answer

    def append(self, body):
        answer = self.ask(b"put 0 0 600 %d" % len(body), body + b"\r\n")
        if answer[0] != b"INSERTED": raise RuntimeError(b" ".join(answer).decode())

    def put(self, key, value): self.append(b"put " + key + b" " + value)
    def delete(self, key): self.append(b"del " + key + b" ")

    def dump(self):
        jobs, found = {}, {}
        while (answer := self.ask(b"reserve-with-timeout 0"))[0] == b"RESERVED":
            jobs[int(answer[1])] = self.stream.read(int(answer[2]) + 2)[:-2]
        if answer[0] != b"TIMED_OUT": raise RuntimeError(b" ".join(answer).decode())
        for _, job in sorted(jobs.items()):
            words = job.split(b" ", 2)
            if words[0] == b"del": found.pop(words[1], None)
            else: found[words[1] if len(words) == 3 else job[:40]] = words[2] if len(words) == 3 else b""    # as it is
        return list(found.items())

    def close(self): self.connection.close()


drive(Store, max_value=2999)      # a job has at most 64 KiB
