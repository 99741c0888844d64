#!/usr/bin/env bash
# Makes what the README shows, with the program itself:
#
#   tests/pictures/draw.sh                    the pictures, from the committed recording
#   tests/pictures/draw.sh --into FOLDER      the same elsewhere
#   tests/pictures/draw.sh --session          a session on a terminal, recorded (45 s)
#   tests/pictures/draw.sh --recording        the recording itself, drawn anew from the embedded pair
#
# LEASH names the program; by default the one that `cargo build --release` made.
set -euo pipefail
cd "$(dirname "$0")/../.."
leash="${LEASH:-target/release/leash}"
recording=tests/fixtures/pictures.jsonl.zst

# NAME KEYS: two pictures, for a dark and for a light page.
picture() {
  for theme in dark light; do
    "$leash" snapshot "$recording" --size 120x36 --theme "$theme" --keys "$2" -o "$into/$1-$theme.svg"
  done
}

pictures() {
  into="$1"
  mkdir -p "$into"
  # Explore, the third problem, counted in methods, the curves of all problems.
  picture explore $'jjuua'
  # A way that RLVR lost, token by token, coloured by its probability under the base.
  picture completions $'jjuu\tj\n\nv'
  # Curves of all problems.
  picture curves $'jjuu3a'
}

# The texts' log-probabilities and entropies to two places, and nothing of single tokens: small
# enough to be kept, and the same pictures on every machine.
recording() {
  local folder
  folder=$(mktemp -d)
  "$leash" sample --count 24 --k 512 --seed 0 --no-traces -o "$folder/run.jsonl"
  python3 - "$folder/run.jsonl" <<'PYTHON' > "$folder/small.jsonl"
import json, sys

for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    for name in ("logprob", "token_entropy"):
        if name in row:
            row[name] = round(row[name], 2)
    print(json.dumps(row, separators=(",", ":"), ensure_ascii=False))
PYTHON
  zstd -19 -q -f "$folder/small.jsonl" -o "$recording"
  rm -r "$folder"
}

case "${1:-}" in
  "") pictures assets/pictures ;;
  --into) pictures "$2" ;;
  --recording) recording ;;
  --session) python3 tests/pictures/session.py "$leash" assets/pictures/session.cast ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
