#!/usr/bin/env python3
"""Git: a file for each key, and a commit for each operation in a bare repository. The dump is what HEAD holds, and
`git fsck` checks the rest."""
import os, subprocess, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from faultline_driver import drive

fsync = next((word[8:] for word in sys.argv if word.startswith("--fsync=")), "all")
environment = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b", "GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z", "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b", "GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z",
}


class Store:
    def __init__(self, directory):
        self.path = directory + "/repository"
        if not os.path.exists(self.path + "/HEAD"): self.git("init", "--quiet", "--bare", "--initial-branch=master", self.path, there=False)

    def git(self, *words, there=True, data=None):
        command = ["git"] + (["-C", self.path] if there else [])
        if fsync != "default": command += ["-c", "core.fsync=" + fsync]
        done = subprocess.run(command + list(words), input=data, env=environment, capture_output=True)
        if done.returncode: raise RuntimeError(f"git {words[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def head(self):
        """The branch's commit, or nothing before the first."""
        if not os.path.exists(self.path + "/refs/heads/master"): return b""
        return self.git("rev-parse", "HEAD").strip()

    def entries(self):
        lines = self.git("ls-tree", "-z", "HEAD").split(b"\0")[:-1] if self.head() else []
        return {line.split(b"\t")[1]: line.split(b"\t")[0].split()[2] for line in lines}

    def commit(self, entries):
        tree = b"".join(b"100644 blob %s\t%s\0" % (blob, name) for name, blob in sorted(entries.items()))
        tree, head = self.git("mktree", "-z", data=tree).strip(), self.head()
        parents = ["-p", head.decode()] if head else []
        commit = self.git("commit-tree", tree.decode(), *parents, data=b"change").strip()
        self.git("update-ref", "HEAD", commit.decode())

    def put(self, key, value):
        self.commit({**self.entries(), key: self.git("hash-object", "-w", "--stdin", data=value).strip()})

    def delete(self, key): self.commit({name: blob for name, blob in self.entries().items() if name != key})
    def dump(self): return [(name, self.git("cat-file", "blob", blob.decode())) for name, blob in self.entries().items()]

    def check(self):
        if not self.head(): return None
        try: self.git("fsck", "--full", "--strict")
        except RuntimeError as error: return str(error)

    def close(self): pass


drive(Store)
