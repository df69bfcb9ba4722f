#!/usr/bin/env python3
"""Radicale (PyPI), a server of calendars, through its WSGI application: an appointment for each key, put and deleted by requests."""
import io, os, re, sys
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import logging
from faultline_driver import drive

BOOK = "/user/book.ics/"


def application(directory):
    try: from radicale import config
    except ImportError: config = None
    import radicale
    if hasattr(config, "load"):      # 2.x
        settings = config.load()
        settings.set("storage", "filesystem_folder", directory + "/store")
        return radicale.Application(settings, logging.getLogger("radicale"))
    config.set("storage", "filesystem_folder", directory + "/store")      # 1.x
    from radicale.storage import filesystem
    filesystem.FOLDER = directory + "/store"
    return radicale.Application()


class Store:
    def __init__(self, directory):
        isNew = not os.path.exists(directory + "/store")
        self.application = application(directory)
        if isNew: self.ask("MKCALENDAR", BOOK, b'<?xml version="1.0"?><mkcalendar xmlns="urn:ietf:params:xml:ns:caldav"/>')

    def ask(self, method, path, body):
        status = []
        answer = self.application({
            "REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "", "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "text/calendar",
            "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "REMOTE_USER": "user", "HTTP_DEPTH": "1", "HTTP_AUTHORIZATION": "Basic dXNlcjp4", "SERVER_NAME": "x",
            "SERVER_PORT": "80", "wsgi.url_scheme": "http"}, lambda text, headers: status.append(text))
        text = b"".join(answer).decode()
        if status[0][0] != "2" and not (method == "DELETE" and status[0].startswith(("404", "410", "412"))):
            raise RuntimeError(f"{method} {path}: {status[0]}: {text[:200]}")
        return text

    def put(self, key, value):
        name = key.decode()
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:" + name, "DTSTAMP:20000101T000000Z", "DTSTART:20000101T000000Z",
                 "SUMMARY:v" + value.hex(), "END:VEVENT", "END:VCALENDAR", ""]
        self.ask("PUT", BOOK + name + ".ics", "\r\n".join(lines).encode())

    def delete(self, key): self.ask("DELETE", BOOK + key.decode() + ".ics", b"")

    def dump(self):
        text = re.sub(r"\r?\n[ \t]", "", self.ask("GET", BOOK, b""))
        for event in text.split("BEGIN:VEVENT")[1:]:
            name = (re.search(r"UID:(\S*)", event) or re.match("()", "")).group(1)
            value = re.search(r"SUMMARY:v((?:[0-9a-f]{2})*)\s", event)
            yield name.encode(), bytes.fromhex(value.group(1)) if value else event.encode()    # a torn appointment as it is

    def close(self): pass


drive(Store, max_value=300)
