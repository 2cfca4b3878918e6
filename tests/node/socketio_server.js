// What ws-fanout is measured against: Socket.IO on Node, fed from the stream events:call.
//   node socketio_server.js ADDRESS:PORT REDIS_URL
"use strict";
const http = require("node:http");
const { createClient } = require("redis");
const { Server } = require("socket.io");

const [address, redisUrl] = process.argv.slice(2);
const [host, port] = address.split(":");
const server = http.createServer((_, response) => response.end("ok"));
const io = new Server(server, { transports: ["websocket"], serveClient: false });

async function follow() {
	const redis = createClient({ url: redisUrl });
	await redis.connect();
	let id = "$";
	for (;;) {
		const found = await redis.xRead({ key: "events:call", id }, { BLOCK: 5000, COUNT: 500 });
		for (const { id: entry, message } of found ? found[0].messages : []) {
			const event = JSON.parse(message.e);
			io.emit(event.eventType, event, `call:${entry}`);
			id = entry;
		}
	}
}

server.listen(Number(port), host, 65535);
follow();
