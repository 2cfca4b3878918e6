# Debian packages, only those that are missing. No service may start because it was installed.

# The version of clang that this Debian's package of that name stands for.
packages_clang() { [ "$(sed -n 's/^VERSION_ID="\(.*\)"/\1/p' /etc/os-release)" = 12 ] && echo 14 || echo 19; }

PACKAGES_BUILD=(gcc make libc6-dev pkg-config git ca-certificates
	libuv1-dev libhiredis-dev libmicrohttpd-dev libcjson-dev libmariadb-dev libmongoc-dev libsodium-dev
	libwslay-dev libssl-dev zlib1g-dev libcurl4-openssl-dev)
PACKAGES_RUN=(runit redis-server redis-tools mariadb-server-core mariadb-client-core nginx openssl debootstrap iproute2
	util-linux procps python3 python3-websockets python3-redis python3-pymysql)
# What every daemon is linked with, when it runs and is not built (images)
PACKAGES_LIBRARIES=(libuv1 libhiredis0.14 libmicrohttpd12 libcjson1 libsodium23 libssl3)
PACKAGES_TEST=(libcmocka-dev clang "libclang-rt-$(packages_clang)-dev" clang-format clang-tidy cppcheck shellcheck
	python3-pytest python3-pytest-xdist python3-requests python3-jsonschema python3-yaml python3-jwt python3-cryptography
	debhelper dpkg-dev systemd systemd-container logrotate mariadb-client
	prometheus redis-sentinel python3-pymongo)
PACKAGES_ENGINE=(docker.io docker-compose iptables) # tests of images and docker-compose.yml; MAYDAY_TEST_COMPOSE=no leaves them out

packages_missing() {
	local have
	have=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^ii *//p')
	printf '%s\n' "$@" | grep -vxF -f <(printf '%s\n' "$have") || true
}

packages_apt() {
	RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o APT::Install-Recommends=no \
		"$@" >>"$SETUP_LOG" 2>&1
}

# A policy-rc.d of 101 forbids starts; the machine's own, if it has one, stays as it is.
packages_install_quietly() {
	local guard=/usr/sbin/policy-rc.d ours='' status=0
	if [ ! -e $guard ]; then
		ours=yes
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
		printf '#!/bin/sh\nexit 101\n' >$guard && chmod 755 $guard
	fi
	packages_apt install "$@" || status=$?
	[ -z "$ours" ] || { rm -f $guard; trap - EXIT; }
	return $status
}

packages_install() {
	local missing
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	need_root "installing packages"
	need_space / 1500 "installing packages"
	say "packages: installing ${#missing[@]} (${missing[*]})"
	packages_apt update || true # a broken source of something else must not stop us: the install tells
	packages_install_quietly "${missing[@]}" || die "packages: $(setup_reason)"
}
