#!/bin/sh
# Print the first Python that Daybook can use: the one given, or one on the PATH.
# python3 comes first; exits with 1, and says what is needed, when there is none.
usable='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'
found=''
for python in ${1:-python3 python python3.14 python3.13 python3.12 python3.11}; do
    if "$python" -c "$usable" 2>/dev/null; then
        echo "$python"
        exit 0
    fi
    version=$("$python" --version 2>/dev/null) && found="$found $python is $version;"
done
cat >&2 <<MESSAGE
Daybook needs Python 3.11, 3.12, 3.13 or 3.14, and finds none:${found:- no python at all;}
Install one, or name it: make PYTHON=/path/to/python3.13
MESSAGE
exit 1
