#!/usr/bin/env python3
"""Dulwich (PyPI), Git in Python: a file for each key, and a commit for each operation. The dump is what HEAD holds."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from dulwich import porcelain
from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        path = directory + "/repository"
        self.repository = Repo(path) if os.path.exists(path + "/HEAD") else Repo.init_bare(path, mkdir=not os.path.exists(path))

    def tree(self):
        try: head = self.repository.head()
        except KeyError: return Tree()
        return self.repository[self.repository[head].tree]

    def commit(self, tree, objects):
        store = self.repository.object_store
        for one in objects + [tree]: store.add_object(one)
        self.repository.do_commit(b"change", committer=b"a <a@b>", author=b"a <a@b>", tree=tree.id,
                                  commit_timestamp=0, author_timestamp=0, commit_timezone=0, author_timezone=0)

    def put(self, key, value):
        blob, tree = Blob.from_string(value), self.tree()
        tree.add(key, 0o100644, blob.id)
        self.commit(tree, [blob])

    def delete(self, key):
        tree = self.tree()
        if key in tree: del tree[key]
        self.commit(tree, [])

    def dump(self): return [(item.path, self.repository[item.sha].data) for item in self.tree().items()]
    def check(self): return "; ".join(f"{sha.decode()}: {error}" for sha, error in porcelain.fsck(self.repository))
    def close(self): self.repository.close()


drive(Store)
