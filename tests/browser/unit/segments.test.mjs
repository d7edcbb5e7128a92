/* Which segment of a list has a moment. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { ROOM } from '../../../www/js/playlist.js';
import { createSegments, rangesOfSegments } from '../../../www/js/segments.js';
import { SECOND } from '../../../www/js/time.js';

const START = Date.parse('2026-11-07T00:00:00Z');
const at = (seconds) => START + seconds * SECOND;

/* Fragments of 2 s, as hls.js has them of a list with room behind each run; what it has learnt as duration is wrong. */
function list(seconds, first = 100) {
	let cc = 0;

	return seconds.map((n, i) => {
		const isLast = i + 1 < seconds.length && seconds[i + 1] !== n + 2;
		const fragment = { sn: first + i, cc, duration: 1.9, rawProgramDateTime: new Date(at(n)).toISOString().replace('Z', '000Z'),
			tagList: [['INF', (2 + (isLast ? ROOM : 0)).toFixed(3), 'live']] };

		cc += isLast;
		return fragment;
	});
}

test('a moment is in its segment, in a hole in the next', () => {
	const segments = createSegments(list([0, 2, 4, 10, 12]));
	const found = (seconds) => (segments.find(at(seconds)).date - START) / SECOND;

	assert.deepEqual([0, 1.9, 2, 5.99, 6, 9, 10, 13.9].map(found), [0, 0, 2, 4, 4, 10, 10, 12]);
	assert.equal(found(6.1), 10, 'the room behind a run is not of it');
	assert.equal(found(-5), 0);
	assert.equal(found(100), 12);
	assert.equal(segments.find(at(5)).length, 2000);
	assert.equal(segments.find(at(5)).next.sn, 103);
	assert.equal(segments.find(at(13)).next, null);
	assert.equal(segments.end, at(14));
	assert.equal(segments.rangeOf(100), null);
	assert.equal(segments.rangeFrom(0), null);
});

test('what cannot be read is as good as a hole', () => {
	const fragments = list([0, 2, 4, 6]);

	fragments[1].gap = true;
	fragments[2].gap = true;
	fragments[3].gap = true;
	assert.equal(createSegments(fragments.slice(0, 3)).find(at(3)).fragment.sn, 102, 'the last one is, where there is no other');
	fragments[3].gap = false;
	assert.equal(createSegments(fragments).find(at(3)).fragment.sn, 103);
	assert.equal(createSegments(fragments).find(at(1)).next.sn, 103);
});

test('the way back over a hole ends at the last picture before it', () => {
	const segments = createSegments(list([2, 4, 10]));

	assert.equal(segments.recordedBefore(at(5), 40), at(5));
	assert.equal(segments.recordedBefore(at(8), 40), at(6) - 60);
	assert.equal(segments.recordedBefore(at(10), 40), at(10));
	assert.equal(segments.recordedBefore(at(1), 40), null);
});

test('in an edit a moment is looked for in its range alone', () => {
	const edit = [{ in: at(10.5), out: at(13) }, { in: at(500), out: at(510) }, { in: at(9), out: at(11) }];
	const segments = createSegments(list([10, 12, 8, 10]), edit);

	assert.deepEqual([100, 101, 102, 103].map(segments.rangeOf), [0, 0, 2, 2]);
	assert.equal(segments.rangeOf(104), null);
	assert.deepEqual([0, 1, 2, 3].map(segments.rangeFrom), [0, 2, 2, null]);
	assert.equal(segments.find(at(10.7), 0).fragment.sn, 100);
	assert.equal(segments.find(at(10.7), 2).fragment.sn, 103);
	assert.equal(segments.find(at(13.9), 0).next, null);
	assert.equal(segments.find(at(9), 2).next.sn, 103);
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
