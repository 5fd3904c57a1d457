# What jq's functions come to, said in jq.
def select(f): if f then . else empty end;
def values: select(. != null);
def nulls: select(. == null);
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == "array" or type == "object");
def scalars: select(type != "array" and type != "object");
def finites: select(isinfinite or isnan | not);
def normals: select(isnormal);
def map(f): [.[] | f];
def map_values(f): .[] |= f;
def recurse(f): def again: ., (f | again); again;
def recurse(f; keep): def again: ., (f | select(keep) | again); again;
def recurse: recurse(.[]?);
def to_entries: [keys_unsorted[] as $key | {key: $key, value: .[$key]}];
def from_entries: reduce .[] as $entry ({};
  . + {($entry | if type == "object" then (if has("key") then .key elif has("k") then .k elif has("name") then .name
      elif has("Name") then .Name elif has("Key") then .Key elif has("K") then .K else null end) else . end
      | if type == "string" then . elif type == "null" then "null" elif type == "boolean" or type == "number" then tojson
        else error("Cannot use \(type) (\(tojson)) as object key") end):
    ($entry | if type == "object" then (if has("value") then .value elif has("v") then .v elif has("Value") then .Value
      elif has("V") then .V else null end) else null end)});
def with_entries(f): to_entries | map(f) | from_entries;
def add(f): reduce f as $item (null; . + $item);
def add: add(.[]);
def del(f): delpaths([path(f)]);
def paths: path(..) | select(length > 0);
def paths(keep): path(.. | select(keep)) | select(length > 0);
def leaf_paths: paths(scalars);
def pick(f): . as $whole | reduce path(f) as $path (null; setpath($path; $whole | getpath($path)));
def any(source; f): isempty(first(source | f | select(.))) | not;
def any(f): any(.[]; f);
def any: any(.[]; .);
def all(source; f): isempty(first(source | f | select(. | not)));
def all(f): all(.[]; f);
def all: all(.[]; .);
def isempty(f): first((f | false), true);
def first: .[0];
def last: .[-1];
def last(f): reduce f as $item (null; $item);
def nth($n): .[$n];
def nth($n; f): if $n < 0 then error("Out of bounds negative array index") else last(limit($n + 1; f)) end;
def until(done; next): def again: if done then . else (next | again) end; again;
def while(more; next): def again: if more then ., (next | again) else empty end; again;
def repeat(f): def again: ., (f | again); again;
def in($whole): . as $key | $whole | has($key);
def inside($whole): . as $part | $whole | contains($part);
def sort_by(f): _sort_by(map([f]));
def group_by(f): _group_by(map([f]));
def unique_by(f): [group_by(f)[] | .[0]];
def min_by(f): _min_by(map([f]));
def max_by(f): _max_by(map([f]));
def env: $ENV;
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%SZ") | mktime;
def todateiso8601: todate;
def fromdate: fromdateiso8601;
def date: todate;
def dateadd(unit; $n): . + $n;
def datesub(unit; $n): . - $n;
def match($pattern): _match($pattern; null) | .[];
def match($pattern; $flags): _match($pattern; $flags) | .[];
def test($pattern): _match($pattern; "t");
def test($pattern; $flags): _match($pattern; ($flags // "") + "t");
def _named: [.captures | .[] | select(.name != null) | {key: .name, value: .string}] | from_entries;
def capture($pattern): match($pattern) | _named;
def capture($pattern; $flags): match($pattern; $flags) | _named;
def scan($pattern; $flags): match($pattern; ($flags // "") + "g")
  | if (.captures | length) > 0 then [.captures | .[] | .string] else .string end;
def scan($pattern): scan($pattern; null);
def splits($pattern; $flags): split($pattern; $flags) | .[];
def splits($pattern): splits($pattern; null);
def sub($pattern; with; $flags): . as $text
  | (reduce (match($pattern; $flags) | . as $found | ($found | _named) as $names | {found: $found, names: $names}) as $m
      ([{at: 0, text: ""}];
       [.[] as $so | ($m.names | with) as $new
        | if ($new | type) != "string" then error("\($new | type) (\($new | tojson)) cannot be added to a string") else
          {at: ($m.found.offset + $m.found.length), text: ($so.text + $text[$so.at:$m.found.offset] + $new)} end])
    | .[] | .text + $text[.at:]);
def sub($pattern; with): sub($pattern; with; "");
def gsub($pattern; with; $flags): sub($pattern; with; $flags + "g");
def gsub($pattern; with): sub($pattern; with; "g");
def ascii: [.] | implode;
def index($part): indices($part) | .[0];
def rindex($part): indices($part) | .[-1:][0];
def combinations: if length == 0 then [] else .[0][] as $first | (.[1:] | combinations) as $rest | [$first] + $rest end;
def combinations($n): . as $all | [range($n)] | map($all) | combinations;
def walk(f): def again: if type == "object" then map_values(again) elif type == "array" then map(again) else . end | f; again;
def IN(source): any(source == .; .);
def IN(left; right): any(left == right; .);
def INDEX(source; f): reduce source as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def tostream: path(def again: (.[]? | again), .; again) as $path | getpath($path)
  | reduce path(.[]?) as $below ([$path, .]; [$path + $below]);
def fromstream(f): {x: null, e: false} as $start
  | foreach f as $event ($start;
      if .e then $start else . end
      | if $event | length == 2
        then setpath(["e"]; $event[0] | length == 0) | setpath(["x"] + $event[0]; $event[1])
        else setpath(["e"]; $event[0] | length == 1) end;
      if .e then .x else empty end);
def truncate_stream(f): . as $n | null | f | . as $event | if ($event[0] | length) > $n then setpath([0]; $event[0][$n:]) else empty end;
def halt_error($code): _halt_error($code);
def input_filename: null;
def debug(message): (message | debug | empty), .;
def abs: if type == "number" and . < 0 then -. else . end;
def toarray: if type == "array" then . else [.] end;
def have_literal_numbers: true;
def have_decnum: false;
def JOIN($idx; key): [.[] | [., $idx[key]]];
def JOIN($idx; stream; key): stream | [., $idx[key]];
def JOIN($idx; stream; key; join): stream | [., $idx[key]] | join;
def isvalid(f): try (f | true) catch false;
