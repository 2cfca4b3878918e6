// Drives unmodified socket.io-clients: a command as JSON on each line of stdin, what happens as JSON on
// each line of stdout.
//   {"do": "connect", "name", "url", "options"}   {"do": "emit", "name", "event", "args", "ack"}
//   {"do": "cut", "name"}: the transport breaks   {"do": "disconnect", "name"}
"use strict";
const readline = require("node:readline");
const { io } = require("socket.io-client");

const sockets = {};

function say(name, what, more) {
	process.stdout.write(JSON.stringify({ name, what, ...more }) + "\n");
}

function watch(name, socket) {
	socket.on("connect", () => say(name, "connect", {
		id: socket.id, recovered: socket.recovered, transport: socket.io.engine.transport.name,
	}));
	socket.on("connect_error", (error) => say(name, "connect_error", {
		message: error.message, data: error.data, active: socket.active,
	}));
	socket.on("disconnect", (reason) => say(name, "disconnect", { reason }));
	socket.onAny((event, ...args) => say(name, "event", { event, args }));
	socket.io.on("open", () => socket.io.engine.on("upgrade", (transport) =>
		say(name, "upgrade", { transport: transport.name })));
}

const commands = {
	connect({ name, url, options }) {
		sockets[name] = io(url, { reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
		watch(name, sockets[name]);
	},
	emit({ name, event, args, ack }) {
		if (!ack)
			sockets[name].emit(event, ...args);
		else
			sockets[name].timeout(5000).emit(event, ...args, (error, ...answer) =>
				say(name, "ack", { ack, answer: error ? null : answer }));
	},
	cut({ name }) {
		sockets[name].io.engine.close();
	},
	disconnect({ name }) {
		sockets[name].disconnect();
	},
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
	const command = JSON.parse(line);
	commands[command.do](command);
}).on("close", () => process.exit(0));
