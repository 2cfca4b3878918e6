# A bare Debian in a folder of the cache: what the package is installed into by the tests, and the base of our images where none can
# be pulled. Never written to: who needs to write lays a layer over it.

# debian_root_build [SUITE]
debian_root_build() {
	local suite=${1:-bookworm} began=$SECONDS
	local root=$CACHE/$suite partial=$CACHE/$suite.partial
	[ ! -d "$root" ] || return 0
	need_root "a bare Debian (debootstrap)"
	need_space "$CACHE" 700 "a bare Debian"
	rm -rf --one-file-system "$partial"
	unshare -m --propagation private debootstrap --variant=minbase "$suite" "$partial" >>"$SETUP_LOG" 2>&1 || die "debian: $(setup_reason)"
	rm -rf "$partial"/var/cache/apt/archives/*.deb
	mv "$partial" "$root"
	say "debian: a bare Debian ($suite) in $((SECONDS - began)) s"
}
