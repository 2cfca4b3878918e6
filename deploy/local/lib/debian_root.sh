# A bare Debian 12 in a folder of the cache: what the package is installed into by the tests, and the base of our images where none can
# be pulled. Never written to: who needs to write lays a layer over it.

DEBIAN_ROOT=$CACHE/bookworm

debian_root_build() {
	local partial=$DEBIAN_ROOT.partial began=$SECONDS
	[ ! -d "$DEBIAN_ROOT" ] || return 0
	need_root "a bare Debian 12 (debootstrap)"
	need_space "$CACHE" 700 "a bare Debian 12"
	rm -rf --one-file-system "$partial"
	unshare -m --propagation private debootstrap --variant=minbase bookworm "$partial" >>"$SETUP_LOG" 2>&1 || die "debian: $(setup_reason)"
	rm -rf "$partial"/var/cache/apt/archives/*.deb
	mv "$partial" "$DEBIAN_ROOT"
	say "debian: a bare Debian 12 in $((SECONDS - began)) s"
}
