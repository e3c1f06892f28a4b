#!/bin/bash
# Reads the layer table (make print-layers) on standard input; complains of each #include that it
# does not allow.
set -euo pipefail
table=$(cat)
[[ -n $table ]] || { echo "no layer table"; exit 1; }

# FOLDER:OWN NAME:WHAT IT MAY USE AS: every folder that the table binds.
folders() {
    local folder name
    for folder in gateway/*/ adapters/*/ tests/unit/*/; do
        [[ -d $folder ]] || continue
        name=$(basename "$folder")
        if ! grep -q "^uses $name " <<<"$table"; then
            case $folder in
            tests/unit/*) [[ -d adapters/$name ]] && printf '%s\t%s\t%s\n' "$folder" "$name" adapter && continue ;;
            adapters/*) printf '%s\t%s\t%s\n' "$folder" "$name" adapter ; continue ;; # an agency's
            esac
        fi
        printf '%s\t%s\t%s\n' "$folder" "$name" "$name"
    done
}

wrong=0
while IFS=$'\t' read -r folder name as; do
    if ! allowed=$(grep "^uses $as " <<<"$table"); then
        echo "$folder: not in the layer table of the Makefile"
        wrong=1
        continue
    fi
    read -r -a words <<<"$allowed"
    files=$(find "$folder" -name '*.[ch]' | sort)
    [[ -n $files ]] || continue
    # shellcheck disable=SC2086 # one word per file
    awk -v own="$name" -v allowed=" ${words[*]:2} $as $name " -v owners="$(sed -n 's/^owner //p' <<<"$table")" '
        BEGIN {
            count = split(owners, line, "\n")
            for (i = 1; i <= count; i++) { split(line[i], word, " "); owner[word[1]] = word[2] }
        }
        function complain(why) { printf "%s:%d: %s: %s\n", FILENAME, FNR, $0, why; bad = 1 }
        function only(library) { if (own != owner[library]) complain("only " owner[library] " may include " library) }
        /^[ \t]*#[ \t]*include[ \t]*</ {
            if ($0 ~ /<openssl\//) only("openssl")
            if ($0 ~ /<lmdb\.h>/) only("lmdb")
            if ($0 ~ /<event2?[\/.]/) only("event")
            if ($0 ~ /<(grpc|grpcpp|protobuf-c)\//) only("grpc")
            if ($0 ~ /<(cairo|pango|fontconfig|qrencode)[\/.-]/) only("cairo")
        }
        /^[ \t]*#[ \t]*include[ \t]*"/ {
            split($0, part, "\"")
            path = part[2]
            if (path ~ /\.pb-c\.h$/ || path ~ /^rpc\/codec_pb\.h$/) { only("grpc"); next }
            if (path ~ /^crypto\/native\.h$/) { only("openssl"); next }
            if (FILENAME ~ /^tests\// && path ~ /^(unit|support)\//) next
            layer = path
            if (!sub(/\/.*/, "", layer)) { complain("write it as \"layer/module.h\""); next }
            if (index(allowed, " " layer " ") == 0) complain(own " may not use " layer)
        }
        END { exit bad }
    ' $files || wrong=1
done < <(folders)
exit "$wrong"
