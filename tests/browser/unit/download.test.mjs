/*
 * Downloads over a server that breaks off, is busy, changes the file, or lies.
 */
import './old-node.mjs';
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { backoff, blobSink, createDownloads, createMeter, parseContentRange, parseRetryAfter } from '../../../www/js/download.js';

const FILE = Buffer.from(Array.from({ length: 300000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
const OTHER = Buffer.from(FILE).reverse().subarray(0, 200000);

/* A server whose n-th request (from 1) is answered by play(n, request, answer). */
async function serve(play) {
	const asked = [];
	const server = http.createServer((request, answer) => {
		asked.push(request.headers);
		play(asked.length, request, answer);
	});

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	return { asked, url: `http://127.0.0.1:${server.address().port}/`, close: () => { server.closeAllConnections(); server.close(); } };
}

function memorySink() {
	let parts = [];

	return {
		state: 'open', restarts: 0,
		async write(chunk) { parts.push(Buffer.from(chunk)); },
		async restart() { this.restarts++; parts = []; },
		async close() { this.state = 'closed'; },
		async abort() { this.state = 'aborted'; },
		get bytes() { return Buffer.concat(parts); },
	};
}

/* A file as the real server answers it; breaks off behind `until` bytes of it. */
function send(request, answer, file, tag, until = file.length) {
	const found = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
	const goesOn = found && request.headers['if-range'] === tag;
	const from = goesOn ? Number(found[1]) : 0;
	const headers = { ETag: tag, 'Content-Length': file.length - from };

	if (goesOn)
		headers['Content-Range'] = `bytes ${from}-${file.length - 1}/${file.length}`;
	answer.writeHead(goesOn ? 206 : 200, headers);
	if (until >= file.length)
		answer.end(file.subarray(from));
	else
		answer.write(file.subarray(from, until), () => setTimeout(() => answer.destroy(), 20));
}

async function run(play, { act = () => {} } = {}) {
	const server = await serve(play);
	const waits = [];
	const downloads = createDownloads({ fetch, wait: async (ms) => { waits.push(ms); } });
	const sink = memorySink();
	const job = downloads.start({ url: server.url, name: 'a.ts' }, sink);

	act(job, downloads);
	await job.ended;
	server.close();
	return { job, sink, waits, asked: server.asked, downloads };
}

test('a whole file', async () => {
	const { job, sink, asked, downloads } = await run((n, request, answer) => send(request, answer, FILE, '"a"'));

	assert.equal(job.state, 'done');
	assert.ok(sink.bytes.equals(FILE));
	assert.equal(sink.state, 'closed');
	assert.equal(asked.length, 1);
	assert.equal(downloads.isBusy(), false);
});

test('broken twice: goes on where it stopped, with If-Range', async () => {
	const { job, sink, asked, waits } = await run((n, request, answer) => send(request, answer, FILE, '"a"', [0, 100000, 200000, FILE.length][n]));

	assert.equal(job.state, 'done');
	assert.ok(sink.bytes.equals(FILE));
	assert.equal(sink.restarts, 0);
	assert.deepEqual(asked.map((headers) => headers.range), [undefined, 'bytes=100000-', 'bytes=200000-']);
	assert.equal(asked[1]['if-range'], '"a"');
	assert.deepEqual(waits, [1000, 1000]);
});

test('the file changed meanwhile: begun anew', async () => {
	const { job, sink } = await run((n, request, answer) => n === 1 ? send(request, answer, FILE, '"a"', 50000) : send(request, answer, OTHER, '"b"'));

	assert.equal(job.state, 'done');
	assert.ok(sink.bytes.equals(OTHER));
	assert.equal(sink.restarts, 1);
	assert.match(job.note, /changed/);
});

test('a 206 from elsewhere, of another length or tag, is not taken', async () => {
	for (const [range, tag] of [['bytes 0-299999/300000', '"a"'], ['bytes 50000-299999/300001', '"a"'], ['bytes 50000-299999/300000', '"b"'], ['nonsense', '"a"']]) {
		const { job, sink } = await run((n, request, answer) => {
			if (n !== 2)
				return send(request, answer, FILE, '"a"', n === 1 ? 50000 : FILE.length);
			answer.writeHead(206, { 'Content-Range': range, ETag: tag });
			answer.end(FILE.subarray(0, 1000));
		});

		assert.equal(job.state, 'done');
		assert.ok(sink.bytes.equals(FILE), range);
	}
});

test('busy: waits as it is told, else longer each time', async () => {
	const { job, sink, waits } = await run((n, request, answer) => {
		if (n > 7)
			return send(request, answer, FILE, '"a"');
		answer.writeHead(503, n === 1 ? { 'Retry-After': '7' } : {});
		answer.end('all 32 places are taken');
	});

	assert.equal(job.state, 'done');
	assert.deepEqual(waits, [7000, 2000, 4000, 8000, 16000, 30000, 30000]);
	assert.ok(sink.bytes.equals(FILE));
});

test('refused: the server\'s words, and no second try', async () => {
	const { job, sink, asked } = await run((n, request, answer) => {
		answer.writeHead(406);
		answer.end('contains holes: 1 of 5.000 s\n');
	});

	assert.equal(job.state, 'failed');
	assert.equal(job.fault, 'contains holes: 1 of 5.000 s');
	assert.equal(sink.state, 'aborted');
	assert.equal(asked.length, 1);
});

test('without a length: a break begins anew, and is said', async () => {
	const { job, sink } = await run((n, request, answer) => {
		answer.writeHead(200);
		answer.write(FILE.subarray(0, 1000), () => {
			if (n === 1)
				setTimeout(() => answer.destroy(), 20);
			else
				answer.end(FILE.subarray(1000));
		});
	});

	assert.equal(job.state, 'done');
	assert.ok(sink.bytes.equals(FILE));
	assert.equal(sink.restarts, 1);
	assert.match(job.note, /cannot go on/);
});

test('never a short file: a body that ends early without a fault', async () => {
	const bodies = [FILE.subarray(0, 100), FILE.subarray(100)];
	let n = 0;
	const downloads = createDownloads({ wait: async () => {}, fetch: async (url, { headers }) => {
		const body = bodies[n++];

		return headers.Range ? new Response(body, { status: 206, headers: { ETag: '"a"', 'Content-Range': `bytes 100-${FILE.length - 1}/${FILE.length}` } })
			: new Response(body, { headers: { ETag: '"a"', 'Content-Length': String(FILE.length) } });
	} });
	const sink = memorySink();
	const job = await downloads.start({ url: 'x', name: 'a' }, sink).ended;

	assert.equal(job.state, 'done');
	assert.equal(n, 2);
	assert.ok(sink.bytes.equals(FILE));
});

test('more than was announced is not taken', async () => {
	let n = 0;
	const downloads = createDownloads({ wait: async () => {}, fetch: async () =>
		new Response(n++ ? FILE : Buffer.concat([FILE, FILE]), { headers: { ETag: '"a"', 'Content-Length': String(FILE.length) } }) });
	const sink = memorySink();
	const job = await downloads.start({ url: 'x', name: 'a' }, sink).ended;

	assert.equal(job.state, 'done');
	assert.match(job.note, /More arrived/);
	assert.ok(sink.bytes.equals(FILE));
});

test('cancelled while it waits: nothing is left', async () => {
	const server = await serve((n, request, answer) => { answer.writeHead(503, { 'Retry-After': '1000' }); answer.end(); });
	const downloads = createDownloads({ fetch });
	const sink = memorySink();
	const job = downloads.start({ url: server.url, name: 'a' }, sink);

	await new Promise((resolve) => setTimeout(resolve, 100));
	assert.equal(job.state, 'retrying');
	downloads.cancel(job);
	await job.ended;
	server.close();
	assert.equal(job.state, 'cancelled');
	assert.equal(sink.state, 'aborted');
	downloads.remove(job);
	assert.equal(downloads.jobs.length, 0);
});

test('paused: lets go of the connection, and goes on there', async () => {
	let isGone = false;
	const { job, sink, asked, waits } = await run((n, request, answer) => {
		if (n > 1)
			return send(request, answer, FILE, '"a"');
		answer.writeHead(200, { ETag: '"a"', 'Content-Length': FILE.length });
		answer.write(FILE.subarray(0, 120000));
		answer.on('close', () => { isGone = true; });
	}, { act(job, downloads) {
		const timer = setInterval(() => {
			if (job.received < 120000)
				return;
			clearInterval(timer);
			downloads.pause(job);
			setTimeout(() => {
				assert.equal(job.state, 'paused');
				assert.ok(isGone);
				downloads.resume(job);
			}, 100);
		}, 5);
	} });

	assert.equal(job.state, 'done');
	assert.ok(sink.bytes.equals(FILE));
	assert.equal(asked[1].range, 'bytes=120000-');
	assert.deepEqual(waits, []);
});

test('a disk that is full is no matter for the server', async () => {
	const downloads = createDownloads({ wait: async () => {}, fetch: async () => new Response(FILE) });
	const sink = { ...memorySink(), write: async () => { throw new Error('no space'); } };
	const job = await downloads.start({ url: 'x', name: 'a' }, sink).ended;

	assert.equal(job.state, 'failed');
	assert.match(job.fault, /no space/);
});

test('Blobs are folded, and are the file', async () => {
	let saved = null;
	const sink = blobSink(async (blob) => { saved = blob; });
	const chunk = new Uint8Array(3 << 20).fill(5);

	await sink.write(new Uint8Array([1, 2]));
	await sink.restart();
	for (let i = 0; i < 7; i++)
		await sink.write(chunk);
	await sink.close();
	assert.equal(saved.size, 7 * chunk.length);
	assert.equal(new Uint8Array(await saved.arrayBuffer())[0], 5);
});

test('headers and waits', () => {
	assert.deepEqual(parseContentRange('bytes 5-9/10'), { first: 5, last: 9, total: 10 });
	for (const text of [null, '', 'bytes */10', 'bytes 5-9/*', 'x'])
		assert.equal(parseContentRange(text), null);
	assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map(backoff), [1, 2, 4, 8, 16, 30, 30]);
	assert.equal(parseRetryAfter('12'), 12);
	assert.equal(parseRetryAfter(new Date(60000).toUTCString(), 0), 60);
	assert.equal(parseRetryAfter('soon'), null);
	assert.equal(parseRetryAfter(null), null);
});

test('speed is that of the last seconds', () => {
	let at = 0;
	const meter = createMeter(() => at);

	for (let i = 0; i <= 100; i++, at += 100)
		meter.add(i < 50 ? i * 10 : 500 + (i - 50) * 1000);
	assert.ok(Math.abs(meter.speed() - 10000) < 500, String(meter.speed()));
});

test('cancelled while it is paused, with a length and without', async () => {
	for (const headers of [{ ETag: '"a"', 'Content-Length': FILE.length }, {}]) {
		const server = await serve((n, request, answer) => {
			answer.writeHead(200, headers);
			answer.write(FILE.subarray(0, 1000));
		});
		const downloads = createDownloads({ fetch });
		const sink = memorySink();
		const job = downloads.start({ url: server.url, name: 'a' }, sink);

		await new Promise((resolve) => setTimeout(resolve, 100));
		downloads.pause(job);
		await new Promise((resolve) => setTimeout(resolve, 20));
		assert.equal(job.state, 'paused');
		downloads.cancel(job);
		await job.ended;
		server.close();
		assert.equal(job.state, 'cancelled');
		assert.equal(sink.state, 'aborted');
	}
});
