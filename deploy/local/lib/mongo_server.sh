# A server that speaks MongoDB's protocol: mongod where there is one, else FerretDB v1 with SQLite, built as a Go module.

FERRETDB=$CACHE/ferretdb-2

# From Go 1.21 on a Go fetches by itself the newer toolchain that a module asks for.
go_is_usable() { [[ $(go env GOVERSION 2>/dev/null) =~ ^go1\.(2[1-9]|[3-9][0-9]) ]]; }

# ferretdb_compile FOLDER: in it the go.mod and go.sum of deploy/ferretdb; everything that Go writes stays there.
# FerretDB refuses to start without its version.txt, which is in no module: it is added to a vendored copy. And it looks for
# documents by ->'$._id' while its index is on ->"_id", which SQLite takes for two things: every document found by its id
# would cost a walk through the whole collection.
ferretdb_compile() {
	cd "$1/source"
	export GOPATH=$1/path GOCACHE=$1/objects GOFLAGS=-buildvcs=false CGO_ENABLED=0
	go mod vendor
	sed -n 's/^.*FerretDB\/FerretDB \(v[0-9.]*\).*/\1/p' go.mod >vendor/github.com/FerretDB/FerretDB/build/version/version.txt
	sed -i "s/->'\$\._id'/->'_id'/" vendor/github.com/FerretDB/FerretDB/internal/backends/sqlite/metadata/metadata.go
	go build -mod=vendor -trimpath -ldflags=-s -tags ferretdb_no_postgresql -o "$1/ferretdb" \
		github.com/FerretDB/FerretDB/cmd/ferretdb
}

# No usable Go on the machine: a passing one, in a throw-away layer over the Debian of the cache. $1 work folder
ferretdb_compile_inside() {
	local Valid=true
	eval "$(apt-config shell Valid Acquire::Check-Valid-Until)" # as this machine is told to take its mirrors
	cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$1/ca.crt"
	unshare -m --propagation private /bin/bash -ec '
		mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/overlay" "$1/debian"
		mount -t proc proc "$1/debian/proc"; mount --bind "$1" "$1/debian/mayday"; cp /etc/resolv.conf "$1/debian/etc/"
		export DEBIAN_FRONTEND=noninteractive
		chroot "$1/debian" apt-get -q -o Acquire::Check-Valid-Until="$3" update
		chroot "$1/debian" apt-get -q -y --no-install-recommends install golang-go
		export SSL_CERT_FILE=/mayday/ca.crt HOME=/mayday PATH=/usr/sbin:/usr/bin
		chroot "$1/debian" bash -ec "ferretdb_compile /mayday"' bash "$1" "$ASTERISK_ROOT" "$Valid"
}

ferretdb_discard() { [ ! -d "$1" ] || { chmod -R u+w "$1" && rm -rf --one-file-system "$1"; }; }

mongo_server_build() {
	local work=$FERRETDB.partial began=$SECONDS
	! command -v mongod >/dev/null && [ ! -x "$FERRETDB" ] || return 0
	need_space "$CACHE" 2500 "building FerretDB"
	say "mongo: no mongod here; building FerretDB v1 (SQLite) into $FERRETDB (some minutes)"
	ferretdb_discard "$work"
	mkdir -p "$work"/{source,upper,overlay,debian}
	cp "$REPO"/deploy/ferretdb/go.* "$work/source"
	export -f ferretdb_compile
	if go_is_usable; then
		bash -ec "ferretdb_compile '$work'"
	else
		need_root "building FerretDB without Go on the machine"
		ferretdb_compile_inside "$work"
	fi >>"$SETUP_LOG" 2>&1 || die "mongo: FerretDB could not be built: $(setup_reason)"
	mv "$work/ferretdb" "$FERRETDB"
	ferretdb_discard "$work"
	say "mongo: FerretDB built in $((SECONDS - began)) s"
}
