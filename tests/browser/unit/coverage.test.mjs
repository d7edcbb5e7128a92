/* What coverage asks the server for, and what it makes of ranges that no archive reaches. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createSource } from '../../../www/js/coverage-source.js';
import { HOUR } from '../../../www/js/time.js';

const FIRST = Date.parse('2026-11-07T02:00:00Z');
const micros = (ms) => `${new Date(ms).toISOString().slice(0, -1)}000`;

/* A server that has ten minutes, from 02:10 to 02:20. */
function server() {
	const has = { from: FIRST + HOUR / 6, to: FIRST + HOUR / 3 };
	const asked = [];
	const bounds = (from, to) => ({ start: micros(from), end: micros(to) });

	function coverage(url) {
		const query = new URL(url, 'http://server').searchParams;
		const [from, to] = ['start', 'end'].map((name) => Date.parse(`${query.get(name)}Z`));
		const [begin, end] = [Math.max(from, has.from), Math.min(to, has.to)];

		if (query.get('lists') === 'false')
			return { hours: [{ hour: '2026-11-07T02', covered: 600, missing: 3000, holes: 2, suspect: 0, partial: 0 }] };
		return begin < end
			? { spans: [bounds(begin, end)], holes: [bounds(from, begin), bounds(end, to)].filter((one) => one.start < one.end), nonfull: [] }
			: { spans: [], holes: [bounds(from, to)], nonfull: [] };
	}

	return {
		has, asked,
		async json(url) {
			asked.push(url);
			if (asked.length > 200)
				throw new Error('too much is asked');
			return url.startsWith('files/') ? ['2026-11-07T02'] : coverage(url);
		},
	};
}

async function withSource(fn) {
	globalThis.document ??= Object.assign(new EventTarget(), { hidden: false });
	const api = server();
	const source = createSource({ api, store: { set() {} } }, { channel: 'c', quality: 'q' }, () => {});

	try {
		await fn(source, api);
	} finally {
		source.stop();
	}
}

test('holes of a range that is far longer than the archive', () => withSource(async (source, api) => {
	const from = Date.parse('1900-01-01T00:00:00Z');
	const to = Date.parse('2100-01-01T00:00:00Z');

	assert.deepEqual(await source.holesIn(from, to), [{ from, to: api.has.from }, { from: api.has.to, to }]);
	assert.ok(api.asked.length < 10, `${api.asked.length} requests`);
}));

test('holes of ranges at its ends, within it, and elsewhere', () => withSource(async (source, { has }) => {
	assert.deepEqual(await source.holesIn(has.from - 5000, has.from + 5000), [{ from: has.from - 5000, to: has.from }]);
	assert.deepEqual(await source.holesIn(has.to - 5000, has.to + 5000), [{ from: has.to, to: has.to + 5000 }]);
	assert.deepEqual(await source.holesIn(has.from, has.to), []);
	assert.deepEqual(await source.holesIn(FIRST - HOUR, FIRST - 1), [{ from: FIRST - HOUR, to: FIRST - 1 }]);
}));

test('another channel is chosen before the first is known', async () => {
	let holes;

	await withSource(async (source) => {
		holes = source.holesIn(FIRST, FIRST + 1000);
	});
	await assert.rejects(holes);
});
