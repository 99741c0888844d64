"""Records a session of the real program on a terminal, as asciicast v2.

    python3 tests/pictures/session.py target/release/leash out.cast

The program runs in a pseudo-terminal of 110 × 32 with the keys below. Only the standard
library is needed. https://docs.asciinema.org/manual/asciicast/v2/
"""

import codecs
import fcntl
import json
import os
import pty
import select
import struct
import sys
import tempfile
import termios
import time

COLUMNS, ROWS = 110, 32

# Seconds to wait, then keys. What stands on the screen meanwhile is to be read.
KEYS = [
    (3.5, "j"), (0.5, "j"), (1.5, "u"), (0.6, "u"), (2.0, "a"),  # the third problem, in methods
    (2.0, "v"), (2.5, "v"),  # both policies over each other, and side by side again
    (0.8, "\t"), (0.8, "j"), (1.2, "\r"), (1.2, "\r"), (1.0, "v"),  # a way that RLVR lost, token by token
    (1.5, "f"), (1.2, "\r"), (3.0, "\x1b"), (0.4, "\x1b"), (0.4, "\x1b"),  # its first word, forced
    (1.0, "3"), (1.5, "l"), (0.3, "l"), (0.3, "l"), (1.2, "\x1b"),  # curves and their crosshair
    (0.6, "4"), (2.5, "s"), (2.0, "1"),  # every problem, the most lost first
    (1.0, "i"), (3.0, "\x1b"),  # what the figures mean
    (1.0, "q"), (0.5, ""),
]

# What is asked of a terminal, and what this one answers: dark, of a common kind.
ANSWERS = {b"\x1b]11;?\x1b\\": b"\x1b]11;rgb:1414/1616/1b1b\x1b\\", b"\x1b[c": b"\x1b[?62;22c"}

# Pieces that come closer together are one event.
APART = 0.02


def main(leash, out):
    with tempfile.TemporaryDirectory() as home:
        events = record(leash, home)
    header = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "leash",
              "env": {"TERM": "xterm-256color"}}
    with open(out, "w", encoding="utf-8") as file:
        for line in [header, *events]:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{out}: {len(events)} events, {events[-1][0]:.0f} s, {os.path.getsize(out) // 1000} kB")


def record(leash, home):
    folders = ["XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"]
    env = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
           **dict.fromkeys(folders, home)}
    for name in ["COLORTERM", "NO_COLOR"]:  # 256 colours are half the bytes
        env.pop(name, None)
    child, terminal = pty.fork()
    if child == 0:
        os.execve(leash, [leash, "--count", "12", "--k", "512"], env)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    decoder = codecs.getincrementaldecoder("utf-8")()
    start = time.monotonic()
    events, keys, due = [], list(KEYS), KEYS[0][0]
    while True:
        now = time.monotonic() - start
        ready, _, _ = select.select([terminal], [], [], max(due - now, 0) if keys else 5)
        now = time.monotonic() - start
        if keys and now >= due:
            os.write(terminal, keys.pop(0)[1].encode())
            due = now + keys[0][0] if keys else due
        if not ready:
            if keys:
                continue
            break
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        for question, answer in ANSWERS.items():
            if question in piece:
                os.write(terminal, answer)
                # Who plays the recording is not to be asked.
                piece = piece.replace(question, b"")
        text = decoder.decode(piece)
        if events and now - events[-1][0] < APART:
            events[-1][2] += text
        else:
            events.append([round(now, 3), "o", text])
    os.waitpid(child, 0)
    return events


if __name__ == "__main__":
    main(*sys.argv[1:])
