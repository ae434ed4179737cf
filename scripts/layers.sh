#!/usr/bin/env bash
# Checks what each folder of src/ includes: dependencies point down only, and a library is known where it belongs.
#
# The build itself hides llama.cpp's headers from all folders but src/model/local (see CMakeLists.txt). What is installed
# in the system's include folder cannot be hidden so, nor can our own folders from each other: that is checked here.
set -euo pipefail
cd "$(dirname "$0")/.."

# A folder, and what it may include of ours besides itself and include/. What is known stands before what knows it, so that
# there is no circle.
ours="
base
answer/tree   base
answer/find   base
answer/read   base answer/tree answer/find
answer/exact  base answer/tree
answer        base answer/find answer/tree answer/read answer/exact
data          base answer/find
model         base
model/local   base model
model/nolocal base model
model/http    base model
grade         base data
search        base data grade answer/find
search/criteria base search answer
recipe        base data search grade
store         base data search
eval          base search store answer
export        base data search store eval answer
cmd           base data model search store recipe eval export grade
"
# A header of a library, and the one folder that may include it.
theirs="
llama.h    model/local
ggml       model/local
curl/      model/http
sqlite3.h  store
flint/     answer/exact
acb.h      answer/exact
arb.h      answer/exact
libfyaml   recipe
zlib.h     data
"

wrong=0
complain() { printf 'layers: %s includes %s, which src/%s must not know\n' "$1" "$2" "$3" >&2; wrong=1; }

circles=$(awk 'NF { for (i = 2; i <= NF; i++) if (!($i in seen)) print $1 " names " $i ", which stands behind it"; seen[$1] }' <<<"$ours")
if [ -n "$circles" ]; then printf 'layers: %s\n' "$circles" >&2; wrong=1; fi

while IFS=: read -r file header; do
    folder=$(dirname "${file#src/}")
    if [ -d "src/$(dirname "$header")" ] && [ "$(dirname "$header")" != . ]; then
        target=$(dirname "$header")
        allowed=$(awk -v folder="$folder" '$1 == folder' <<<"$ours")
        case " $allowed " in *" $target "*) ;; *) complain "$file" "$header" "$folder" ;; esac
    else
        while read -r library owner; do
            if [ -z "$library" ]; then continue; fi
            case $header in "$library"*) if [ "$folder" != "$owner" ]; then complain "$file" "$header" "$folder"; fi ;; esac
        done <<<"$theirs"
    fi
done < <(grep -rHoE '^ *# *include *[<"][^>"]+' src --include='*.c' --include='*.h' --include='*.cpp' |
    sed -E 's/: *# *include *[<"]/:/')
exit $wrong
