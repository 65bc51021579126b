#!/bin/sh
# Write page/: the leaderboard with every origin, and the page of the published study.
set -eu
rm -rf leaderboard.csv page
mkdir page
for folder in submissions/*/; do
    [ -d "$folder" ] || continue
    nlbench leaderboard add "${folder}records.tar.gz" --suite "$SUITE" --results "$RESULTS" \
        --to leaderboard.csv --origin "$(cat "${folder}origin.txt")"
done
nlbench site "$SUITE" --results "$RESULTS" --out page/studies
if [ -e leaderboard.csv ]; then
    nlbench leaderboard page leaderboard.csv --ours "studies/$SUITE.html" --out page/index.html
    cp leaderboard.csv page/
fi
