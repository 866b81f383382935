"""Says who answered. `/?sleep=2` takes its time, POST counts what it got, `/health` is for checks."""

import os
import socket
import time

from flask import Flask, request

HOST = socket.gethostname()
VERSION = os.environ["VERSION"]
STATUS = 500 if os.environ["HEALTH"] == "fail" else 200
ANSWER = int(os.environ.get("ANSWER", STATUS))

if os.environ["CRASH"] == "yes":
    os.environ["DATABASE_URL"]

app = Flask(__name__)


@app.route("/", methods=["GET", "POST"])
def hello():
    received = len(request.get_data())
    time.sleep(min(request.args.get("sleep", 0, type=float), 60))
    if request.method == "POST":
        return f"{HOST} ({VERSION}) got {received} bytes\n", ANSWER
    return f"Hello from {HOST} ({VERSION})\n", ANSWER


@app.route("/health")
def health():
    return ("ok\n" if STATUS == 200 else "not well\n"), STATUS
