/* api.js: URLs as the server takes them, and what is done when it is busy or lost. */
import './old-node.mjs';
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { ApiError, absolute, createApi, urls } from '../../../www/js/api.js';

const at = Date.parse('2026-11-07T02:00:00.016Z');

test('URLs', () => {
	for (const [url, is] of [
		[urls.channels(), 'files'],
		[urls.qualities('a b/c?'), 'files/a%20b%2Fc%3F'],
		[urls.playlist('main', 'source', at, null), 'playlist/main/source.m3u8?start=2026-11-07T02:00:00.016'],
		[urls.playlist('main', 'source', null, null), 'playlist/main/source.m3u8'],
		[urls.editList('main', 'source', [{ in: at, out: at + 1000 }, { in: at + 5000, out: at + 6000 }]),
			'playlist/main/source.m3u8?range=2026-11-07T02:00:00.016,2026-11-07T02:00:01.016&range=2026-11-07T02:00:05.016,2026-11-07T02:00:06.016'],
		[urls.coverage('main', 'source', at, at + 1, false), 'coverage/main/source.json?start=2026-11-07T02:00:00.016&end=2026-11-07T02:00:00.017&lists=false'],
		[urls.frame('main', 'source', at), 'frame/main/source.jpg?timestamp=2026-11-07T02:00:00.016'],
		[urls.thumbnail('main', 'source', at, 'a&b', [0, 0, 5, 6], [-1, 2, 3, 4]),
			'thumbnail/main/source.png?timestamp=2026-11-07T02:00:00.016&template=a%26b&crop=0,0,5,6&location=-1,2,3,4'],
		[urls.chat('main', at, at + 1), 'main/chat.json?start=2026-11-07T02:00:00.016&end=2026-11-07T02:00:00.017'],
		[urls.cut('main', 'source', 'mp4', [{ in: at, out: at + 1 }], [], { type: 'smart', allow_holes: null }),
			'cut/main/source.mp4?range=2026-11-07T02:00:00.016,2026-11-07T02:00:00.017&type=smart'],
		[urls.cut('main', 'source', 'ts', [{ in: at, out: at + 1 }, { in: at, out: at + 1 }, { in: at, out: at + 1 }], [null, { type: 'fade', seconds: 0.5 }]),
			'cut/main/source.ts?range=2026-11-07T02:00:00.016,2026-11-07T02:00:00.017&range=2026-11-07T02:00:00.016,2026-11-07T02:00:00.017' +
			'&range=2026-11-07T02:00:00.016,2026-11-07T02:00:00.017&transition=&transition=fade,0.5'],
	])
		assert.equal(url, is);
});

test('whole URLs are below where the page is', () => {
	globalThis.document = { baseURI: 'http://host:1/prefix/#main/source' };
	assert.equal(absolute(urls.channels()), 'http://host:1/prefix/files');
});

/* A server that gives these answers, one after the other. */
function serverOf(...answers) {
	const asked = [];

	globalThis.document = { baseURI: 'http://host/' };
	globalThis.fetch = async (url, options = {}) => {
		asked.push(url);
		const answer = answers.shift();

		options.signal?.throwIfAborted();
		if (answer === null)
			throw new TypeError('Failed to fetch');
		return new Response(answer.body ?? '', { status: answer.status ?? 200, headers: answer.headers ?? {} });
	};
	return asked;
}

const { fetch } = globalThis;

afterEach(() => {
	globalThis.fetch = fetch;
	delete globalThis.document;
});

const BUSY = { status: 503, headers: { 'Retry-After': '0.01', 'Content-Type': 'text/plain' }, body: 'busy\n' };

test('an answer', async () => {
	const health = [];

	serverOf({ body: '["main"]' });
	assert.deepEqual(await createApi((...how) => health.push(how[0])).json('files'), ['main']);
	assert.deepEqual(health, ['ok']);
});

test('an answer of another one, in front of the server, is none', async () => {
	serverOf({ body: '<html>Log in', headers: { 'Content-Type': 'text/html' } });
	await assert.rejects(createApi().json('files'), (error) => error instanceof ApiError && error.status === 200 && /login/.test(error.message));
});

test('a refusal has the words of the server', async () => {
	serverOf({ status: 406, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: 'the range contains holes\n' });
	await assert.rejects(createApi().ask('cut'), (error) => error instanceof ApiError && error.status === 406 && error.message === 'the range contains holes');
	serverOf({ status: 500, headers: { 'Content-Type': 'text/html' }, body: '<h1>no</h1>' });
	await assert.rejects(createApi().ask('cut'), (error) => error.status === 500 && !error.message.includes('<'));
});

test('a busy server is asked again when it says so, and not for ever', async () => {
	const health = [];
	const asked = serverOf(BUSY, BUSY, { body: 'x' });

	await createApi((...how) => health.push(how)).ask('storyboard');
	assert.equal(asked.length, 3);
	assert.deepEqual(health, [['busy', 0.01], ['busy', 0.01], ['ok']]);
	assert.equal(serverOf(BUSY).length, 0);
	const more = serverOf(BUSY, BUSY, BUSY, BUSY, BUSY);

	await assert.rejects(createApi().ask('storyboard'), { status: 503, message: 'busy' });
	assert.equal(more.length, 4);
	const once = serverOf(BUSY, BUSY);

	await assert.rejects(createApi().askOnce('storyboard', {}), { status: 503 });
	assert.equal(once.length, 1);
});

test('a lost server is said to be, and is not asked again by this', async () => {
	for (const answer of [null, { status: 502 }, { status: 504 }]) {
		const health = [];
		const asked = serverOf(answer);

		await assert.rejects(createApi((how) => health.push(how)).ask('files'), (error) => [0, 502, 504].includes(error.status));
		assert.deepEqual(health, ['lost']);
		assert.equal(asked.length, 1);
	}
});

test('who does not want it any more is not asked for', async () => {
	const health = [];
	const abort = new AbortController();
	const asked = serverOf({ ...BUSY, headers: { 'Retry-After': '60' } });
	const asking = createApi((how) => health.push(how)).ask('files', { signal: abort.signal });

	setTimeout(() => abort.abort());
	await assert.rejects(asking, { name: 'AbortError' });
	assert.equal(asked.length, 1);
	serverOf({});
	await assert.rejects(createApi((how) => health.push(how)).ask('files', { signal: AbortSignal.abort() }), { name: 'AbortError' });
	assert.ok(!health.includes('lost'), 'which is no fault of the server');
});
