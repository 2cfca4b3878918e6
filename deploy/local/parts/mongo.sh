# A server of MongoDB's protocol: mongod where it is installed, else FerretDB with SQLite.
part_listens() { echo "tcp $NET.4:27017"; }
part_prepare() { make_directory "$RUN/mongo/data" 700; }

part_command() {
	if command -v mongod >/dev/null; then
		echo "exec mongod --bind_ip $NET.4 --port 27017 --dbpath '$RUN/mongo/data' --quiet"
	else
		echo "exec '$CACHE/ferretdb-2' --handler=sqlite --sqlite-url='file:$RUN/mongo/data/' --state-dir='$RUN/mongo' \\
	--listen-addr=$NET.4:27017 --debug-addr=- --telemetry=disable --log-level=warn"
	fi
}

part_ready() { "$LOCAL/lib/probe" mongo "$NET.4:27017"; }
