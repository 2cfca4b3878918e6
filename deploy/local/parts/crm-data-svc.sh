# crm-data-svc: customers, and what was said to them.
. "$LOCAL/lib/daemon.sh"
daemon_place
part_needs() { echo redis mongo; }

daemon_settings() {
	cat <<-ENV
		MONGODB_URI=mongodb://$NET.4:27017/
		MONGODB_DATABASE=mayday
	ENV
}
