# deploy/services, read by sh.

# services_each FUNCTION: called with name, host, http, live, needs, summary of each of our daemons
services_each() {
	local name host http live needs summary
	while read -r name host http live needs summary; do
		[[ $name == '#'* || -z $name ]] || "$1" "$name" "$host" "$http" "$live" "$needs" "$summary"
	done <"$REPO/deploy/services"
}

services_names() { awk '!/^#/ && NF { print $1 }' "$REPO/deploy/services"; }

# services_field NAME COLUMN
services_field() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$REPO/deploy/services"; }
