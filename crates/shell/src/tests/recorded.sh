echo plain  text   "two  spaces" 'single $WHO'
echo "$WHO" $WHO ${WHO} ${UNSET:-default} ${COUNT:+set} ${#WHO} ${WHO#wide } ${WHO%world}
printf '%s-%02d|%5s|%-5s|\n' a 7 bc de
for i in 1 2 3; do echo "loop $i $((i * COUNT + 1))"; done
i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i -eq 2 ] && continue; echo "while $i"; done
until [ $i -eq 0 ]; do i=$((i-1)); done; echo "until $i"
if [ "$COUNT" -gt 2 ] && [ -n "$WHO" ]; then echo yes; elif false; then echo maybe; else echo no; fi
case "$COUNT" in 1|2) echo few;; [0-9]) echo digit;; *) echo other;; esac
f() { local x=$1; echo "f got $x and $# args: $*"; return 4; }
f one two; echo "returned $?"
echo "sub: $(echo inner | tr a-z A-Z) `echo ticks`"
echo one two three | awk '{print $2, NF}'; echo a:b:c | cut -d: -f2
seq 1 5 | grep -v 3 | wc -l; seq 3 | sort -r | head -2 | xargs echo joined
cat <<EOF
here $WHO $((1+1))
EOF
echo err >&2; echo to-file > /tmp/f; cat /tmp/f; echo more >> /tmp/f; wc -l < /tmp/f
true && echo and; false || echo or; ! false && echo not
test -f /nosuch; echo "status $?"; nosuchcommand; echo "status $?"
sleep 0.2; date +%Y >/dev/null && echo dated; echo $0 $#; expr 3 + 4; basename /a/b.txt; dirname /a/b.txt
{ echo grouped; echo twice; } | sed 's/e/E/'; (exit 3); echo "subshell $?"; set -- x y; echo "$2 $#"; shift; echo $1
exit 7
