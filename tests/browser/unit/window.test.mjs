/* Which stretch of the archive is played, and how its lists are numbered. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { HOUR, MINUTE, SECOND } from '../../../www/js/time.js';
import { ageOf, createSliding, isInside, isLive, liveFrom, rangesOfSegments, windowAround, withRoom } from '../../../www/js/window.js';

const START = Date.parse('2026-11-07T00:00:00Z');
const WEEK = { from: START, to: START + 7 * 24 * HOUR };

test('far from its end a window is an hour; a moment in it is inside', () => {
	const at = START + 30 * HOUR + 12345;
	const window = windowAround(at, WEEK, false);

	assert.equal(window.to - window.from, HOUR);
	assert.ok(isInside(window, at));
	assert.ok(!isInside(window, window.to));
	assert.ok(!isInside(window, window.from - 1));
	assert.ok(!isInside(null, at));
});

test('near the end of a stream that goes on it has none, of one that has stopped it is final', () => {
	const at = WEEK.to - 10 * MINUTE;

	assert.equal(windowAround(at, WEEK, true).to, null);
	assert.ok(isInside(windowAround(at, WEEK, true), WEEK.to + HOUR));
	/* An end over an hour behind the last segment makes the server end the list, holes or not. */
	assert.ok(windowAround(at, WEEK, false).to > WEEK.to + HOUR);
});

test('a stream goes on by our clock, or, whatever that says, because it has grown', () => {
	assert.ok(isLive(WEEK, null, WEEK.to + 30 * SECOND));
	assert.ok(!isLive(WEEK, null, WEEK.to + 10 * MINUTE));
	assert.ok(isLive(WEEK, WEEK.to + HOUR, WEEK.to + HOUR + 4 * SECOND), 'our clock is an hour fast');
	assert.ok(!isLive(WEEK, WEEK.to - HOUR, WEEK.to - HOUR + 3 * MINUTE), 'an hour slow, and the stream has ended');
	assert.ok(!isLive(null, null, WEEK.to));
	assert.equal(ageOf(WEEK, null, WEEK.to + 5), 5);
});

test('windows that are next to each other meet: what ends one is inside the next', () => {
	const first = windowAround(START + HOUR, WEEK, false);
	const next = windowAround(first.to, WEEK, false);

	assert.ok(isInside(next, first.to));
	assert.ok(next.from < first.to);
	assert.ok(next.to > first.to);
});

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

test('a live window begins some minutes before what is watched', () => {
	assert.ok(liveFrom(START) < START);
	assert.ok(START - liveFrom(START) <= 6 * MINUTE);
});

test('segments of an edit list are of the ranges they are for', () => {
	const s = (...seconds) => seconds.map((n) => ({ date: START + n * SECOND, length: 2 * SECOND }));
	const ranges = (...pairs) => pairs.map(([from, to]) => ({ in: START + from * SECOND, out: START + to * SECOND }));

	assert.deepEqual(rangesOfSegments(s(8, 10, 12, 30, 32), ranges([9, 13], [31, 33])), [0, 0, 0, 1, 1]);
	assert.deepEqual(rangesOfSegments(s(8, 10, 10, 12), ranges([9, 11], [10.5, 13])), [0, 0, 1, 1], 'a segment in both');
	assert.deepEqual(rangesOfSegments(s(8, 10, 8, 10), ranges([9, 11], [9, 11])), [0, 0, 1, 1], 'the same range twice');
	assert.deepEqual(rangesOfSegments(s(30, 8), ranges([30, 32], [9, 10])), [0, 1], 'backwards');
	assert.deepEqual(rangesOfSegments(s(8, 10, 12), ranges([9, 12], [12, 14])), [0, 0, 1], 'one after the other');
	assert.deepEqual(rangesOfSegments(s(8, 14), ranges([9, 16])), [0, 0], 'over a hole');
	assert.deepEqual(rangesOfSegments(s(8, 200), ranges([9, 10], [100, 110], [200, 201])), [0, 2], 'a range in a hole');
	assert.deepEqual(rangesOfSegments(s(30, 8), ranges([30, 32], [100, 110], [9, 10])), [0, 2], 'one in a hole, and back');
	assert.deepEqual(rangesOfSegments(s(8), ranges([1, 2], [9, 10])), [1], 'the first in a hole');
});
