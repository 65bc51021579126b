#!/bin/sh
# Check every submission against suite SUITE and the published records in RESULTS.
set -eu
failed=0
for folder in submissions/*/; do
    [ -d "$folder" ] || continue
    echo "== $folder"
    nlbench submit check "${folder}records.tar.gz" --suite "$SUITE" --results "$RESULTS" || failed=1
    [ -s "${folder}origin.txt" ] || { echo "FAILED  origin: ${folder}origin.txt is missing"; failed=1; }
done
exit "$failed"
