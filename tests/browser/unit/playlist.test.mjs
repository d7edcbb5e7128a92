/* How the player's lists are numbered, and what room they have. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { createSliding, withRoom } from '../../../www/js/playlist.js';

const HEAD = '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n';

/* A list as the server writes it: a segment of 2 s for each number, a discontinuity where one is missing. */
function list(...numbers) {
	return HEAD + numbers.map((n, i) => `${i && n !== numbers[i - 1] + 1 ? '#EXT-X-DISCONTINUITY\n' : ''}` +
		`#EXT-X-PROGRAM-DATE-TIME:2026-11-07T00:00:${String(n).padStart(2, '0')}.000000Z\n#EXTINF:2.000,live\n/segments/${n}.ts\n`).join('');
}

/* What a player makes of a list: { sn, cc, n } of each segment. */
function read(text) {
	let sn = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)[1]);
	let cc = Number(/#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)/.exec(text)[1]);
	const segments = [];

	for (const line of text.split('\n')) {
		if (line === '#EXT-X-DISCONTINUITY')
			cc++;
		else if (line && !line.startsWith('#'))
			segments.push({ n: Number(/(\d+)\.ts/.exec(line)[1]), sn: sn++, cc });
	}
	assert.equal(text.match(/#EXTINF/g)?.length ?? 0, segments.length);
	assert.equal(text.match(/#EXT-X-PROGRAM/g)?.length ?? 0, segments.length);
	return segments;
}

test('a window that slides numbers each segment once, and each discontinuity', () => {
	const number = createSliding();
	const known = new Map();
	let seed = 1;
	const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
	const all = Array.from({ length: 60 }, (_, i) => i).filter((n) => n < 5 || random(6));

	for (let from = 0, to = 5; to < all.length; to += 1 + random(3), from += random(3)) {
		const segments = read(number(list(...all.slice(Math.min(from, to - 2), to))));

		for (const { n, sn, cc } of segments) {
			assert.deepEqual(known.get(n) ?? { sn, cc }, { sn, cc }, `segment ${n}`);
			known.set(n, { sn, cc });
		}
	}
	const numbers = [...known.values()];
	const gaps = [...known.keys()].slice(1).filter((n, i) => n !== [...known.keys()][i] + 1).length;

	assert.ok(numbers.length > 30);
	assert.deepEqual(numbers.map(({ sn }) => sn), numbers.map((_, i) => i), 'none is left out, none is twice');
	assert.equal(numbers.at(-1).cc, gaps);
	assert.ok(gaps > 3);
});

test('a late segment in front of what is known does not move the numbers', () => {
	const number = createSliding();

	number(list(4, 5, 6));
	assert.deepEqual(read(number(list(2, 4, 5, 6, 7))), [
		{ n: 4, sn: 0, cc: 0 }, { n: 5, sn: 1, cc: 0 }, { n: 6, sn: 2, cc: 0 }, { n: 7, sn: 3, cc: 0 }]);
});

test('a list that has nothing of the one before follows it', () => {
	const number = createSliding();

	number(list(1, 2, 4));
	assert.deepEqual(read(number(list(20, 21))), [{ n: 20, sn: 3, cc: 2 }, { n: 21, sn: 4, cc: 2 }]);
	assert.deepEqual(read(number(HEAD)), []);
	assert.deepEqual(read(number(list(21, 22))), [{ n: 21, sn: 4, cc: 2 }, { n: 22, sn: 5, cc: 2 }]);
});

test('there is room behind each run of segments, and only there', () => {
	const seconds = (text) => [...text.matchAll(/#EXTINF:([\d.]+)/g)].map(([, n]) => Number(n));

	assert.deepEqual(seconds(withRoom(list(1, 2, 4, 5, 9))), [2, 2.25, 2, 2.25, 2]);
	assert.equal(withRoom(list(1, 2, 3)), list(1, 2, 3));
	assert.deepEqual(read(createSliding()(withRoom(list(1, 3)))), read(createSliding()(list(1, 3))));
});
