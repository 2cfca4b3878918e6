# Addresses that a stack is about to use.

# ports_check PART...: dies with every port that somebody else holds, each with its owner
ports_check() {
	local name taken
	taken=$(for name; do
		service_is_up "$name" || part "$name" part_listens | sed "s/\$/ $name/"
	done | ports_taken)
	[ -z "$taken" ] || die "$taken"
}

# Lines "PROTOCOL ADDRESS:PORT PART" in; out, in one line, those that are taken. A listener on every address takes the port too.
ports_taken() {
	awk '
	FNR == NR { held[$1 " " $5] = $7; next }
	{
		port = $2; sub(/.*:/, "", port)
		split($1 " " $2 "\n" $1 " 0.0.0.0:" port "\n" $1 " *:" port, keys, "\n")
		for (i in keys) if (keys[i] in held) {
			owner = held[keys[i]]; gsub(/users:\(\(|"|\)\)/, "", owner); sub(/,fd=.*/, "", owner); sub(/,pid=/, ", pid ", owner)
			line = line (line ? "; " : "") "port " $2 " (" $3 ") is taken by " (owner ? owner : "somebody else")
		}
	}
	END { print line }' <(ss -Hlntup) -
}
