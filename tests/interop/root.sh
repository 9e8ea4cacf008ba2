#!/bin/sh
# The root of the log, recomputed by hand: sh root.sh statement.json proof.tlog-proof
# Prints the computed root and the checkpoint's, in hexadecimal, and succeeds only where they are equal.
# Needs nothing but sh, sha256sum, xxd, and base64 for the text form of the hashes.
# entry = SHA-256(statement), leaf = SHA-256(00 entry), node = SHA-256(01 left right): RFC 9162 §2.1.
set -eu

hash() { # of the bytes given in hexadecimal
    sum=$(printf '%s' "$1" | xxd -r -p | sha256sum)
    printf '%s' "${sum%% *}"
}

hexadecimal() { # of base64
    printf '%s' "$1" | base64 -d | xxd -p -c 64
}

entry=$(sha256sum <"$1")
root=$(hash "00${entry%% *}")

part=head
path=
size=
wanted=
while IFS= read -r line; do
    case $part in
        head) case $line in "index "*) index=${line#index } part=path ;; esac ;;
        path) if [ -n "$line" ]; then path="$path $line"; else part=origin; fi ;;
        origin) part=size ;;
        size) size=$line part=root ;;
        root) wanted=$(hexadecimal "$line") part=end ;;
        end) break ;;
    esac
done <"$2"

# RFC 9162 §2.1.3.2
number=$index
last=$((size - 1))
[ "$number" -le "$last" ]
for step in $path; do
    step=$(hexadecimal "$step")
    [ "$last" -ne 0 ]
    if [ $((number % 2)) -eq 1 ] || [ "$number" -eq "$last" ]; then
        root=$(hash "01$step$root")
        while [ $((number % 2)) -eq 0 ] && [ "$number" -ne 0 ]; do
            number=$((number / 2)) last=$((last / 2))
        done
    else
        root=$(hash "01$root$step")
    fi
    number=$((number / 2)) last=$((last / 2))
done
printf '%s\n%s\n' "$root" "$wanted"
[ "$last" -eq 0 ] && [ "$root" = "$wanted" ]
