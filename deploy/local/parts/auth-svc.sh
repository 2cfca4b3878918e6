# auth-svc: logins, users, sessions; it owns the schema of the database.
. "$LOCAL/lib/daemon.sh"
daemon_place
part_needs() { echo redis mariadb; }

daemon_settings() {
	daemon_database
	make_directory "$RUN/secrets/token-keys" 700
	cat <<-ENV
		AUTH_KEYS_DIR=$RUN/secrets/token-keys
		AUTH_SUPERUSER_NAME=admin
		AUTH_SUPERUSER_PASSWORD_FILE=$(secret superuser)
	ENV
}
