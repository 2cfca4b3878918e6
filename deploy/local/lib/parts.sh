# The parts of a stack. Each is a file parts/NAME.sh that defines functions:
#   part_exists   is there anything to run? (default: yes)
#   part_needs    parts without which it cannot become ready
#   part_listens  "PROTOCOL ADDRESS:PORT" lines, checked before the start; the first is shown by status
#   part_prepare  writes its configuration; harmless to repeat
#   part_check    whether what was prepared can run; says why not
#   part_command  the command that runs it, in the foreground, as lines of sh
#   part_ready    0 once it can be used
#   part_finish   done once it is ready (users, tables, seed)
# NAME@2 is a second instance of one of our daemons, on another address; phone@1001 a phone.

PARTS=(redis mariadb mongo asterisk)
for PART in $(services_names); do
	[ ! -e "$LOCAL/parts/$PART.sh" ] || PARTS+=("$PART")
done
PARTS+=(nginx)
PARTS_ORDER=("${PARTS[@]}" phone)

# part PART FUNCTION...: in a subshell, so that parts know nothing of each other
part() (
	PART=$1
	INSTANCE=1
	[[ $PART != *@* ]] || INSTANCE=${PART#*@}
	part_exists() { :; }
	part_needs() { :; }
	part_prepare() { :; }
	part_check() { :; }
	part_ready() { :; }
	part_finish() { :; }
	. "$LOCAL/parts/${PART%@*}.sh"
	shift
	"$@"
)

part_known() {
	[[ $1 =~ ^[a-z-]+(@[2-8]|@10[0-9][0-9])?$ && -e $LOCAL/parts/${1%@*}.sh ]] || die "there is no part '$1'; parts: ${PARTS[*]} phone@1001"
}

# The parts asked for and what they need, in the order of PARTS; those that have nothing to run are left out.
parts_wanted() {
	local -A wanted=()
	local name todo=("$@")
	[ $# -gt 0 ] || todo=("${PARTS[@]}")
	while [ ${#todo[@]} -gt 0 ]; do
		name=${todo[0]}
		todo=("${todo[@]:1}")
		[ "$name" != all ] || { todo+=("${PARTS[@]}") && continue; }
		[ -z "${wanted[$name]:-}" ] || continue
		wanted[$name]=yes
		mapfile -t -O ${#todo[@]} todo < <(part "$name" part_needs | tr ' ' '\n' | sed '/^$/d')
	done
	for name in $(parts_sorted "${!wanted[@]}"); do
		part "$name" part_exists && echo "$name"
	done
}

# In the order of PARTS, instances after the first.
parts_sorted() {
	local name order
	for name; do
		for order in "${!PARTS_ORDER[@]}"; do
			[ "${PARTS_ORDER[$order]}" != "${name%@*}" ] || printf '%02d %s\n' "$order" "$name"
		done
	done | sort | cut -d' ' -f2
}

# All that have been prepared in this run directory.
parts_present() { parts_sorted $(cd "$RUN/service" 2>/dev/null && ls); }

# write FILE [MODE]: from standard input, complete or not at all
write() {
	local file=$1
	if ! { (umask 077 && cat >"$file.new") && chmod "${2:-644}" "$file.new" && mv "$file.new" "$file"; }; then
		die "cannot write $file: disk full?"
	fi
}

# secret NAME: the path of a file with a secret that is made on its first use; of two who make it at once the first wins
secret() {
	local file=$RUN/secrets/$1 made=$RUN/secrets/$1.$BASHPID
	if [ ! -e "$file" ]; then
		od -An -N24 -tx1 /dev/urandom | tr -d ' \n' | write "$made" 600
		ln "$made" "$file" 2>/dev/null || [ -e "$file" ] || die "cannot write $file"
		rm "$made"
	fi
	echo "$file"
}
