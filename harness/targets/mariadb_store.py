#!/usr/bin/env python3
"""MariaDB through PyMySQL, on a Unix socket: an InnoDB table of keys and values, a transaction for each operation."""
import os, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import pymysql
from faultline_driver import drive


class Store:
    def __init__(self, directory):
        self.connection = pymysql.connect(
            unix_socket=os.environ["FAULTLINE_SOCKET"], user="root", autocommit=True)
        self.cursor = self.connection.cursor()
        if sys.argv[1] == "workload":
            self.cursor.execute("CREATE DATABASE IF NOT EXISTS d")
            self.cursor.execute(
                "CREATE TABLE IF NOT EXISTS d.kv (k VARBINARY(255) PRIMARY KEY, v MEDIUMBLOB NOT NULL) ENGINE=InnoDB")

    def put(self, key, value): self.cursor.execute("REPLACE INTO d.kv VALUES (%s, %s)", (key, value))
    def delete(self, key): self.cursor.execute("DELETE FROM d.kv WHERE k = %s", (key,))

    def dump(self):
        try: self.cursor.execute("SELECT k, v FROM d.kv")
        except pymysql.err.ProgrammingError: return []    # no such table: the crash came before it
        return self.cursor.fetchall()

    def check(self):
        try: self.cursor.execute("CHECK TABLE d.kv EXTENDED")
        except pymysql.err.ProgrammingError: return None
        answers = [str(row[3]) for row in self.cursor.fetchall()]
        return None if answers == ["OK"] or any("doesn't exist" in text for text in answers) else "; ".join(answers)

    def close(self): self.connection.close()


drive(Store)
