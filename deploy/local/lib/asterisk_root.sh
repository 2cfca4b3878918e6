# Asterisk 22 is in neither Debian 12 nor 13: a small Debian forky in a folder of the cache has it, and the SIP phones.

ASTERISK_PACKAGES=(asterisk asterisk-core-sounds-en-gsm odbc-mariadb baresip-core ca-certificates)

asterisk_root_suite() { [ -e /usr/share/debootstrap/scripts/forky ] && echo forky || echo sid; }

# In a mount namespace of its own, so that an interrupted run leaves no mounts behind. $1 folder, $2 suite, rest packages.
asterisk_root_fill() {
	unshare -m --propagation private /bin/bash -ec '
		root=$1 suite=$2; shift 2
		debootstrap --variant=minbase "$suite" "$root"
		printf "#!/bin/sh\nexit 101\n" >"$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
		mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
		chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"
		chroot "$root" apt-get clean; rm -rf "$root"/var/lib/apt/lists/*
		mkdir "$root/mayday"' bash "$@"
}

asterisk_root_build() {
	local partial=$ASTERISK_ROOT.partial suite began=$SECONDS
	[ ! -d "$ASTERISK_ROOT" ] || return 0
	need_root "the Debian with Asterisk (debootstrap)"
	need_space "$CACHE" 1500 "the Debian with Asterisk"
	suite=$(asterisk_root_suite)
	say "asterisk: Debian $suite with Asterisk 22 into $ASTERISK_ROOT (about a minute)"
	rm -rf --one-file-system "$partial"
	asterisk_root_fill "$partial" "$suite" "${ASTERISK_PACKAGES[@]}" >>"$SETUP_LOG" 2>&1 ||
		die "asterisk: $(setup_reason)"
	mv "$partial" "$ASTERISK_ROOT"
	say "asterisk: $(chroot "$ASTERISK_ROOT" asterisk -V) in $((SECONDS - began)) s"
}
