# Debian with Asterisk 22 and the SIP phones of the demo, for docker-compose.yml.
FROM debian:forky-slim
COPY deploy/local/lib/asterisk_root.sh /packages.sh
COPY deploy/images/add-libraries /
RUN bash -c '. /packages.sh && /add-libraries "${ASTERISK_PACKAGES[@]}" python3'
COPY deploy /src/deploy
ENV MAYDAY_ASTERISK_ROOT=/
ENTRYPOINT ["/src/deploy/local/stack"]
