# Debian with Asterisk 22.
FROM debian:forky-slim
COPY deploy/local/lib/asterisk_root.sh /packages.sh
RUN bash -c '. /packages.sh && apt-get update && apt-get install -y --no-install-recommends "${ASTERISK_PACKAGES[@]}" python3' && \
	rm -rf /var/lib/apt/lists/*
COPY deploy /src/deploy
ENV MAYDAY_ASTERISK_ROOT=/
ENTRYPOINT ["/src/deploy/local/stack"]
