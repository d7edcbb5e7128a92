/* Where the source's clock leaps, though the list has no hole. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { createClocks } from '../../../www/js/clocks.js';

const START = Date.parse('2026-11-07T00:00:00Z');
const WRAP = 2 ** 33 / 90000;

const uri = (n) => `/segments/c/q/2026-11-07T00/00:${String(n).padStart(2, '0')}-2-full-x.ts`;
const lines = (n) => `#EXT-X-PROGRAM-DATE-TIME:2026-11-07T00:00:${String(n).padStart(2, '0')}.000000Z\n#EXTINF:2.000,live\n${uri(n)}\n`;
const BREAK = '#EXT-X-DISCONTINUITY\n';
const list = (parts) => '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n' + parts.map((part) => part === BREAK ? BREAK : lines(part)).join('') + '#EXT-X-ENDLIST\n';

/* Segment number sn, of 2 s each, whose source's clock is ahead of the list by so many seconds. */
const load = (clocks, sn, ahead, cc = 0) =>
	clocks.note({ sn, cc, relurl: uri(sn * 2) }, START + sn * 2000, 10 + sn * 2 + ahead);

test('a clock that runs on is none that leaps: with drift, rounded names, and over its wrap', () => {
	const clocks = createClocks();

	for (let sn = 0; sn < 20; sn++)
		assert.equal(load(clocks, sn, sn % 2 * 0.3 + sn * 0.01 - (sn > 9 ? WRAP : 0)), false, `segment ${sn}`);
	assert.equal(clocks.mark(list([0, 2, 4])), list([0, 2, 4]));
});

test('a leap is a discontinuity before the first segment of the other clock, once', () => {
	const clocks = createClocks();

	assert.equal(load(clocks, 4, 0), false);
	assert.equal(load(clocks, 5, 0), false);
	assert.equal(load(clocks, 6, -16), true);
	assert.equal(load(clocks, 6, -16), false, 'it is known');
	assert.equal(clocks.mark(list([8, 10, 12, 14])), list([8, 10, BREAK, 12, 14]));
	assert.equal(clocks.mark(list([8, 10, BREAK, 12, 14])), list([8, 10, BREAK, 12, 14]), 'where there is one already');
	assert.equal(clocks.mark(list([12, 14])), list([12, 14]), 'before the first there is nothing');
	assert.equal(clocks.mark(list([8, 14])), list([8, 14]));
	assert.equal(clocks.mark(''), '');
});

test('it is found from either side, and between what is far apart', () => {
	const clocks = createClocks();

	load(clocks, 9, 100);
	assert.equal(load(clocks, 2, 0), true, 'some place before 9');
	clocks.begin();
	load(clocks, 2, 0);
	assert.equal(load(clocks, 9, 100, 1), false, 'apart now');
	assert.equal(load(clocks, 8, 100, 0), true, 'of the later clock, in the run of the earlier');
	clocks.begin();
	load(clocks, 8, 100, 1);
	load(clocks, 2, 0);
	assert.equal(load(clocks, 7, 0), false);
	assert.equal(clocks.mark(list([4, 14, 16, 18])), list([4, 14, BREAK, 16, BREAK, 18]));
});

test('numbers of another list say nothing of this one', () => {
	const clocks = createClocks();

	load(clocks, 3, 0);
	clocks.begin();
	assert.equal(load(clocks, 4, 50), false);
});
