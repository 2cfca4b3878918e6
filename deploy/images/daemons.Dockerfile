# Everything but Asterisk: our daemons, and the servers of Debian 12 that they use.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY deploy/local/lib/packages.sh /packages.sh
RUN bash -c '. /packages.sh && apt-get update && apt-get install -y --no-install-recommends "${PACKAGES_BUILD[@]}"'
COPY . .
RUN make -j"$(nproc)"

FROM debian:bookworm-slim
COPY deploy/local/lib/packages.sh /packages.sh
RUN bash -c '. /packages.sh && apt-get update && apt-get install -y --no-install-recommends "${PACKAGES_RUN[@]}" \
	libuv1 libhiredis0.14 libmicrohttpd12 libcjson1 libmariadb3 libmongoc-1.0-0 libsodium23 libwslay1 libssl3 zlib1g libcurl4' && \
	rm -rf /var/lib/apt/lists/*
COPY deploy /src/deploy
COPY --from=build /src/build/bin /src/build/bin
ENTRYPOINT ["/src/deploy/local/stack"]
