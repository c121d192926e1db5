#!/usr/bin/env bash
# Install the package as a user does and run a small demo from a folder that knows nothing of it.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A copy, since building leaves files beside the sources.
git archive --prefix=source/ HEAD | tar -x -C "$folder"
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --constraint "$project/constraints.txt" "$folder/source"
rm -r "$folder/source"
export PATH=$folder/venv/bin:$PATH
unset PYTHONPATH
cd "$folder"
pairspec --help >help.txt
pairspec demo --stars 300 >demo.txt 2>&1 || { tail -n 30 demo.txt; exit 1; }
tail -n 1 demo.txt
python - <<'END'
import pairspec

run = pairspec.open("demo/run")
print(run.sql("SELECT count(*) AS stars, max(p_b) AS highest_p_b FROM stars"))
END
test "$(head -c 15 demo/run/reports/report.html)" = "<!DOCTYPE html>"
echo "check-install: the installed package works"
