# A SIP phone (baresip): phone@1001 is extension 1001 at NET.101. It registers by itself; its control socket (JSON in netstrings) is
# what deploy/local/phones and tests/lib/phone.py speak to. Not started unless asked for.
PHONE_ADDRESS=$NET.$((${INSTANCE:-1001} - 900))

part_needs() { echo asterisk; }

part_listens() {
	echo "udp $PHONE_ADDRESS:5060"
	echo "tcp $PHONE_ADDRESS:4444"
}

part_prepare() {
	local FOLDER=$RUN/phones/$INSTANCE ADDRESS=$PHONE_ADDRESS EXTENSION=$INSTANCE REGISTRAR=$NET.1 SECRET HERTZ RTP RTP_END
	HERTZ=$((300 + (INSTANCE - 1000) * 50))
	RTP=$((10000 + (INSTANCE - 1000) * 200))
	RTP_END=$((RTP + 198))
	# That of seed.sql, unless one was written for it: of an agent that was made by REST.
	SECRET=$(cat "$RUN/secrets/sip-$INSTANCE" 2>/dev/null || echo "local-$INSTANCE")
	make_directory "$FOLDER"
	render "$REPO/deploy/baresip/config" ADDRESS RTP RTP_END HERTZ | write "$FOLDER/config"
	render "$REPO/deploy/baresip/accounts" EXTENSION REGISTRAR SECRET | write "$FOLDER/accounts" 600
	echo "12345678-0000-0000-0000-00000000$INSTANCE" | write "$FOLDER/uuid"
	: | write "$FOLDER/contacts"
}

part_command() { echo "exec '$LOCAL/lib/inside' '$RUN' '$ASTERISK_ROOT' baresip -4 -s -f /mayday/phones/$INSTANCE </dev/null"; }
part_ready() { "$LOCAL/lib/probe" tcp "$PHONE_ADDRESS:4444"; }
