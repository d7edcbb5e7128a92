/*
 * Chat: hostile messages, what deletes others, colours, selection, search.
 */
import './old-node.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { countUntil, findIn, matches, readChat, readMessage, withClears } from '../../../www/js/chatlog.js';
import { createPieces, PIECE } from '../../../www/js/chatpieces.js';
import { nearestFirst, partsOf, searchParts } from '../../../www/js/chatsearch.js';
import { contrast, readable } from '../../../www/js/colour.js';

const HOUR = 3600000;
const said = (time, text, more = {}) => ({ command: 'PRIVMSG', params: ['#c', text], sender: 'ada', tags: null, time, time_range: 0, ...more });

test('a message as it should be', () => {
	const read = readMessage(said(12.5, 'hello', { tags: { 'display-name': 'Ada', color: '#0000FF', id: 'x', bits: '100', badges: 'moderator/1,subscriber/12' } }));

	assert.deepEqual(read, { at: 12500, id: 'x', user: 'ada', name: 'Ada', text: 'hello', kind: 'said', colour: '#0000ff', badges: ['mod'], bits: 100 });
	assert.equal(readMessage(said(1, '\u0001ACTION waves\u0001')).kind, 'action');
	assert.equal(readMessage(said(1, '\u0001ACTION waves\u0001')).text, 'waves');
});

test('fields of any type, or none', () => {
	const values = [undefined, null, 0, -1, 1e308, '', 'x', [], [[]], {}, { toString: 1 }, true, ['#c', null], ['#c', { a: 1 }]];

	for (const field of ['command', 'params', 'sender', 'tags', 'time', 'time_range', 'user', 'receivers'])
		for (const value of values)
			for (const command of ['PRIVMSG', 'USERNOTICE', 'CLEARCHAT', 'CLEARMSG'])
				readMessage({ ...said(1, 'x', { command }), [field]: value });
	for (const name of ['display-name', 'color', 'bits', 'badges', 'id', 'system-msg', 'target-msg-id', 'login'])
		for (const value of values)
			for (const command of ['PRIVMSG', 'USERNOTICE', 'CLEARCHAT', 'CLEARMSG'])
				readMessage(said(1, 'x', { command, tags: { [name]: value } }));
	for (const value of values)
		assert.ok(Array.isArray(readChat(value)));
	assert.deepEqual(readChat([null, 1, 'x', [], { time: 'now' }, { time: NaN }, said(1, null)]), []);
	assert.equal(readMessage(said(1, 'x', { sender: 5, user: [] })).name, 'someone');
});

test('texts are bounded, and have nothing in them that is not seen', () => {
	assert.equal(readMessage(said(1, 'a\u202Eb\u0007c')).text, 'a b c');
	assert.ok(readMessage(said(1, 'x'.repeat(1e6))).text.length < 2100);
	assert.ok(readMessage(said(1, 'x', { sender: 'n'.repeat(1e6) })).name.length < 100);
	assert.equal(readMessage(said(1, 'x', { tags: { color: 'red;background:url(http://evil)' } })).colour.length, 7);
});

test('deleted messages know when', () => {
	const rows = withClears(readChat([
		said(1, 'a', { tags: { id: '1' } }), said(2, 'b', { sender: 'bob', tags: { id: '2' } }), said(3, 'c', { tags: { id: '3' } }),
		{ command: 'CLEARMSG', params: ['#c', 'a'], tags: { 'target-msg-id': '1' }, time: 4 },
		{ command: 'CLEARCHAT', params: ['#c', 'Bob'], tags: {}, time: 5 },
		said(6, 'd', { sender: 'bob' }),
	]));

	assert.deepEqual(rows.map((row) => row.struckAt), [4000, 5000, undefined, undefined]);
	assert.ok(withClears(readChat([said(1, 'a'), { command: 'CLEARCHAT', params: ['#c'], time: 2 }]))[0].struckAt === 2000);
	assert.deepEqual(readChat([{ command: 'CLEARMSG', params: [], tags: {}, time: 1 }]), []);
});

test('what has been said up to a moment', () => {
	const rows = [1, 2, 2, 3].map((at) => ({ at }));

	assert.deepEqual([0, 1, 2, 2.5, 9].map((ms) => countUntil(rows, ms)), [0, 1, 3, 3, 4]);
	assert.equal(countUntil([], 5), 0);
});

test('names are readable on both grounds', () => {
	for (const ground of ['#14191f', '#ffffff', '#1d242c', '#f3f5f8'])
		for (const colour of ['#000000', '#ffffff', '#0000ff', '#ff0000', '#00ff00', '#ffff00', '#8a2be2', '#777777', '#123456'])
			assert.ok(contrast(readable(colour, ground), ground) >= 4.5, `${colour} on ${ground}`);
	assert.equal(readable('#ffffff', '#14191f'), '#ffffff');
	assert.ok(Math.abs(contrast('#000000', '#ffffff') - 21) < 0.01);
});

test('search: where it hits, also in letters that change their length', () => {
	assert.deepEqual(findIn('One two ONE', 'one'), [{ text: 'One', hit: true }, { text: ' two ', hit: false }, { text: 'ONE', hit: true }]);
	assert.equal(findIn('abc', 'x'), null);
	assert.equal(findIn('İstanbul', 'stan').map((part) => part.text).join(''), 'İstanbul');
	assert.ok(matches(readMessage(said(1, 'x', { tags: { 'display-name': 'Moth' } })), 'moth'));
});

test('search: requests of two hours at most, the nearest first', () => {
	const parts = partsOf(HOUR / 2, 7.5 * HOUR);

	assert.ok(parts.every((part) => part.to - part.from <= 2 * HOUR && part.to > part.from));
	assert.deepEqual([parts[0].from, parts.at(-1).to], [HOUR / 2, 7.5 * HOUR]);
	assert.ok(parts.every((part, i) => !i || part.from === parts[i - 1].to));
	assert.equal(nearestFirst(parts, 5 * HOUR)[0].from, 4 * HOUR);
	assert.deepEqual(partsOf(5, 5), []);
});

test('search: one request at a time, and no chat is no fault', async () => {
	let open = 0;
	const api = { async json(url) {
		assert.equal(++open, 1);
		await null;
		open--;
		if (/start=[^&]*T02:00/.test(url))
			throw Object.assign(new Error('no'), { status: 404 });
		return [said(0.5, 'needle'), said(2, 'hay'), said(-5, 'needle before')];
	} };
	const all = [];

	await searchParts(api, 'c', partsOf(0, 4 * HOUR), 'needle', { onPart: (hits) => { all.push(...hits); } });
	assert.deepEqual(all.map((hit) => hit.at), [500]);
	await assert.rejects(searchParts({ json: async () => { throw new Error('gone'); } }, 'c', partsOf(0, HOUR), 'x', { onPart() {} }), /gone/);
});

function fakeApi(answer) {
	const asked = [];

	return { asked, async ask(url, options) {
		asked.push({ url, tag: options.headers['If-None-Match'] });
		return answer(asked.length);
	} };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

test('pieces: a settled one is asked for once, one that grows again with its ETag', async () => {
	let now = 100 * HOUR;
	let changes = 0;
	const api = fakeApi((n) => n > 2 ? { status: 304 } : { status: 200, headers: new Headers({ ETag: '"a"' }), json: async () => [said(100 * 3600 - 100, 'x', { tags: { id: '1' } }), said(100 * 3600 - 100, 'y', { tags: { id: '1' } })] });
	const pieces = createPieces(api, 'c', () => changes++, () => now);

	pieces.want(50 * HOUR);
	pieces.want(now - 1);
	await settle();
	assert.equal(pieces.want(50 * HOUR).state, 'ready');
	assert.deepEqual(pieces.want(now - 1).messages.map((row) => row.text), ['x', 'y']);
	assert.equal(new Set(pieces.want(now - 1).messages.map((row) => row.key)).size, 2);
	now += 6000;
	pieces.want(50 * HOUR);
	pieces.want(100 * HOUR - 1);
	await settle();
	assert.deepEqual(api.asked.map((one) => one.tag), [undefined, undefined, '"a"']);
	assert.equal(changes, 2);
});

test('pieces: a bounded number, failures are asked again later', async () => {
	let now = 1000 * HOUR;
	const api = fakeApi(() => { throw Object.assign(new Error('busy'), { status: 503 }); });
	const pieces = createPieces(api, 'c', () => {}, () => now);

	assert.equal(pieces.want(0).state, 'loading');
	await settle();
	assert.equal(pieces.want(0).state, 'failed');
	assert.equal(api.asked.length, 1);
	now += 60000;
	pieces.want(0);
	assert.equal(api.asked.length, 2);
	for (let i = 1; i < 100; i++)
		pieces.want(i * PIECE);
	assert.equal(pieces.peek(0), null);
	assert.ok(pieces.peek(99 * PIECE));
});
