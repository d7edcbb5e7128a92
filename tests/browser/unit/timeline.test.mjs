/* What of the timeline is arithmetic: views, ticks, tiles, sums, lists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import './old-node.mjs';

process.env.TZ = 'Europe/Berlin';
const www = (name) => import(new URL(`../../../www/js/${name}`, import.meta.url));
const { createSums, newSum, parseHours } = await www('coverage-sums.js');
const { clip, concat, firstBehind, hoursOf, listsOfSums, nearestSpan, parseLists, parseMicros, piecesOf } = await www('coverage-lists.js');
const { betweenViews, centreView, clampView, followView, limitsOf, rowsOf, snap, SHORTEST_VIEW, zoomView } = await www('timeline-scale.js');
const { contextOf, dayLabel, ticksOf } = await www('timeline-ticks.js');
const { extremes, levelFor, parseDat, tileAt, tileLength, tilesOf } = await www('wave-tiles.js');
const { sheetAt, levelFor: sheetLevel, COLUMNS, ROWS } = await www('storyboard-sheets.js');
const { holesWords, spanWords, viewWords } = await www('timeline-bar.js');
const { DAY, HOUR, MINUTE, SECOND } = await www('time.js');

const at = (text) => Date.parse(`${text}Z`);
const UTC = { zone: 'utc', zero: null };
const LOCAL = { zone: 'local', zero: null };
const archive = { from: at('2026-11-01T00:00:00'), to: at('2026-11-08T00:00:00') };

test('a view stays in the archive and its room', () => {
	const all = clampView({ from: 0, to: 1e15 }, archive);

	assert.deepEqual(all, limitsOf(archive));
	assert.ok((all.to - all.from) / (archive.to - archive.from) <= 1.0201);
	assert.equal(clampView({ from: archive.from, to: archive.from + 1 }, archive).to - clampView({ from: archive.from, to: archive.from + 1 }, archive).from, SHORTEST_VIEW);
});

test('zooming leaves the moment under the pointer where it is', () => {
	const view = { from: at('2026-11-03T00:00:00'), to: at('2026-11-03T01:00:00') };
	const under = view.from + 0.3 * HOUR;
	const zoomed = zoomView(view, 0.1, under, archive);

	assert.ok(Math.abs((under - zoomed.from) / (zoomed.to - zoomed.from) - 0.3) < 1e-9);
	assert.equal(Math.round(zoomed.to - zoomed.from), HOUR / 10);
});

test('the view turns its page, goes to what was sought, and lets the user look elsewhere', () => {
	const view = { from: at('2026-11-03T00:00:00'), to: at('2026-11-03T00:10:00') };

	assert.equal(followView(view, view.from, view.from + 20, archive), view);
	assert.equal(followView(view, view.to - 10, view.to + 10, archive).from, view.to + 10 - 0.05 * 10 * MINUTE);
	assert.equal(followView(view, view.to + HOUR, view.to + HOUR + 16, archive), view, 'moved away from what plays');
	assert.deepEqual(followView(view, view.from, view.to + HOUR, archive), centreView(10 * MINUTE, view.to + HOUR, archive));
});

test('a glide ends where it goes, and keeps the proportion', () => {
	const [from, to] = [{ from: 0, to: 1000 }, { from: 400, to: 410 }];
	const half = betweenViews(from, to, 0.5);

	assert.equal(betweenViews(from, to, 1), to);
	assert.equal(Math.round(half.to - half.from), 100);
	assert.ok(half.from > 0 && half.from < 400 && half.to > 410);
	assert.deepEqual(betweenViews(from, { from: 100, to: 1100 }, 0.5), { from: 50, to: 1050 });
});

test('a view and its holes are said in words', () => {
	const from = at('2026-11-07T23:55:00');

	assert.equal(viewWords({ from, to: from + 2 * MINUTE }, UTC), 'Sat 7 Nov 2026 23:55:00 – 23:57:00');
	assert.equal(viewWords({ from, to: from + 10 * MINUTE }, UTC), 'Sat 7 Nov 2026 23:55:00 – Sun 8 Nov 2026 00:05:00');
	assert.equal(viewWords({ from, to: from + 10 * DAY }, UTC), 'Sat 7 Nov 2026 – Tue 17 Nov 2026');
	assert.deepEqual([200, 10 * MINUTE, 2.5 * DAY, DAY].map(spanWords), ['200 ms', '10 min', '2.5 days', '1 day']);
	assert.equal(holesWords({ holes: 0, missing: 0 }), '');
	assert.equal(holesWords({ holes: 2, missing: 14000 }), '2 holes, 0:14 missing');
});

test('snapping is to the nearest within reach', () => {
	assert.equal(snap(100, [90, 104], 6), 104);
	assert.equal(snap(100, [90, 107], 6), 100);
});

test('ranges that overlap are in rows of their own', () => {
	assert.deepEqual(rowsOf([{ from: 0, to: 10 }, { from: 5, to: 8 }, { from: 10, to: 12 }], 3), { rows: [0, 1, 0], count: 2 });
	assert.equal(rowsOf([0, 1, 2, 3, 4].map(() => ({ from: 0, to: 1 })), 3).count, 3);
});

const labels = (from, to, clock, width = 1000) =>
	ticksOf({ from, to, msPerPx: (to - from) / width }, clock).major.filter((tick) => tick.ms >= from && tick.ms <= to);

test('ticks are at round times', () => {
	const ten = labels(at('2026-11-07T02:00:00'), at('2026-11-07T02:10:00'), UTC);

	assert.deepEqual(ten.slice(0, 3).map((tick) => tick.label), ['02:00', '02:01', '02:02']);
	const tiny = labels(at('2026-11-07T02:00:00.1'), at('2026-11-07T02:00:00.3'), UTC);

	assert.ok(tiny.some((tick) => tick.label === '02:00:00.200'));
	const year = labels(at('2026-01-01T00:00:00'), at('2026-12-31T00:00:00'), UTC, 1200);

	assert.deepEqual(year.slice(0, 2).map((tick) => tick.label), ['Jan', 'Feb']);
});

test('local days begin at local midnight, on both sides of a change of the clock', () => {
	/* 25 October 2026, 03:00 becomes 02:00. */
	const days = labels(at('2026-10-23T12:00:00'), at('2026-10-28T12:00:00'), LOCAL, 600);

	assert.deepEqual(days.map((tick) => new Date(tick.ms).toISOString().slice(0, 13)),
		['2026-10-23T22', '2026-10-24T22', '2026-10-25T23', '2026-10-26T23', '2026-10-27T23']);
	for (const { ms } of labels(at('2026-10-24T12:00:00'), at('2026-10-25T12:00:00'), LOCAL))
		assert.equal(new Date(ms).getMinutes(), 0);
	const six = labels(at('2026-03-28T12:00:00'), at('2026-03-29T20:00:00'), LOCAL, 500);

	assert.ok(six.every(({ ms }) => new Date(ms).getHours() % 6 === 0));
	assert.equal(new Set(six.map(({ ms }) => ms)).size, six.length);
});

test('a clock that counts has round counts', () => {
	const clock = { zone: 'since', zero: at('2026-11-07T01:59:30') };
	const ticks = labels(at('2026-11-07T02:00:00'), at('2026-11-07T02:10:00'), clock);

	assert.equal(ticks[0].label, '0:01:00');
	assert.equal(ticks[0].ms, at('2026-11-07T02:00:30'));
	assert.ok(labels(at('2026-11-07T01:50:00'), at('2026-11-07T02:00:00'), clock)[0].label.startsWith('-0:09'));
});

test('few ticks at any zoom', () => {
	for (let span = SHORTEST_VIEW; span < 40 * 365 * DAY; span *= 1.7)
		for (const clock of [UTC, LOCAL, { zone: 'since', zero: 12345 }]) {
			const { major, minor } = ticksOf({ from: at('2020-02-03T04:05:06'), to: at('2020-02-03T04:05:06') + span, msPerPx: span / 1900 }, clock);

			assert.ok(major.length >= 2 && major.length < 30, `${span}: ${major.length}`);
			assert.ok(minor.length < 260, `${span}: ${minor.length} minor`);
		}
});

test('the day of what is left is said', () => {
	const from = at('2026-11-07T22:00:00');
	const context = contextOf({ from, to: from + 6 * HOUR }, { unit: 'hour' }, UTC);

	assert.deepEqual(context.map((one) => one.label), ['Sat 7 Nov 2026', 'Sun 8 Nov 2026']);
	assert.equal(context[1].ms, at('2026-11-08T00:00:00'));
	assert.equal(dayLabel(from + 90 * MINUTE, LOCAL), 'Sun 8 Nov 2026');
});

test('hours are added up in any run', () => {
	const first = Math.floor(archive.from / HOUR);
	const sums = createSums(first, 10);

	for (let i = 0; i < 300; i++)
		sums.set({ from: (first + i) * HOUR, covered: 3600e3 - i, missing: i, holes: i % 3, suspect: 0, partial: i === 77 ? 2 : 0 });
	for (const [from, to] of [[0, 300], [5, 6], [13, 211], [77, 78], [299, 400], [-50, 3]]) {
		const sum = sums.add(newSum(), first + from, first + to);
		let missing = 0;

		for (let i = Math.max(from, 0); i < Math.min(to, 300); i++)
			missing += i;
		assert.equal(sum[2], missing, `${from} to ${to}`);
		assert.equal(sum[0], Math.min(to, 300) - Math.max(from, 0));
		assert.equal(sum[5], from <= 77 && to > 77 ? 2 : 0);
	}
});

const ANSWER = {
	hours: [{ hour: '2026-11-07T02', covered: 3384, missing: 216.5, holes: 2, suspect: 1, partial: 0 }],
	spans: [
		{ start: '2026-11-07T02:00:00.000000Z', end: '2026-11-07T02:05:02.000250Z' },
		{ start: '2026-11-07T02:05:02.000250Z', end: '2026-11-07T02:10:00.000000Z' },
		{ start: '2026-11-07T02:10:14.000000Z', end: '2026-11-07T03:00:00.000000Z' },
	],
	holes: [
		{ start: '2026-11-07T02:05:02.000250Z', end: '2026-11-07T02:05:02.000250Z' },
		{ start: '2026-11-07T02:10:00.000000Z', end: '2026-11-07T02:10:14.000000Z' },
	],
	nonfull: [{ start: '2026-11-07T02:05:00.000250Z', duration: 2, kind: 'suspect' }],
};

test('answers of /coverage are read to the microsecond', () => {
	const lists = parseLists(ANSWER);

	assert.equal(parseMicros('2026-11-07T02:05:02.000250Z'), at('2026-11-07T02:05:02') + 0.25);
	assert.equal(lists.spans.length, 2, 'spans that touch are one');
	assert.equal(lists.holes.length, 2);
	assert.deepEqual(lists.nonfull[0], { from: at('2026-11-07T02:05:00') + 0.25, to: at('2026-11-07T02:05:02') + 0.25, kind: 'suspect' });
	assert.equal(parseHours(ANSWER.hours)[0].missing, 216500);
	assert.equal(firstBehind(lists.holes, at('2026-11-07T02:10:03')), 1);
	assert.equal(firstBehind(lists.spans, at('2026-11-07T04:00:00')), 2);
});

test('lists are cut, and put together again', () => {
	const lists = parseLists(ANSWER);
	const cuts = ['02:00:00', '02:05:01', '02:10:07', '03:00:00'].map((time) => at(`2026-11-07T${time}`));
	const parts = cuts.slice(1).map((to, i) => clip(lists, cuts[i], to));

	assert.deepEqual(parts[1].holes.at(-1), { from: at('2026-11-07T02:10:00'), to: cuts[2] });
	assert.deepEqual(concat(parts).spans, lists.spans);
	assert.deepEqual(concat(parts).holes, lists.holes);
});

test('of an hour whose sums say all nothing is asked', () => {
	const hour = { covered: HOUR, missing: 0, holes: 0, suspect: 0, partial: 0 };

	assert.deepEqual(listsOfSums(0, hour), { spans: [{ from: 0, to: HOUR }], holes: [], nonfull: [] });
	assert.deepEqual(listsOfSums(0, { ...hour, covered: 0, missing: HOUR, holes: 0 }).holes, [{ from: 0, to: HOUR }]);
	assert.equal(listsOfSums(0, { ...hour, suspect: 1 }), null);
	assert.equal(listsOfSums(0, { ...hour, covered: HOUR - 100, missing: 100 }), null);
	assert.equal(listsOfSums(0, { ...hour, holes: 1 }), null, 'a hole of no length');
});

test('beyond a hole is the next that has something to see', () => {
	const spans = [{ from: 0, to: 5000 }, { from: 7000, to: 9000 }, { from: 9500, to: 20000 }];

	assert.equal(nearestSpan(spans, 6000, 1).at, 7000);
	assert.equal(nearestSpan(spans, 6000, -1).at, 4000);
	assert.equal(nearestSpan(spans, 8000, 1).at, 9500);
	assert.equal(nearestSpan(spans, 9200, -1).at, 8000);
	assert.deepEqual(nearestSpan(spans, 10000, 1), { at: null, reach: 20000 }, 'goes on in the next hour');
	assert.deepEqual(nearestSpan([{ from: 20000, to: 21000 }, { from: 22000, to: 23000 }], 20000, 1).at, 22000);
});

test('pieces are aligned, the newest first', () => {
	const week = 7 * DAY;
	const pieces = piecesOf(archive.from, archive.to + 5 * HOUR, week);

	assert.equal(pieces[0].to, archive.to + 5 * HOUR);
	assert.equal(pieces.at(-1).from, archive.from);
	assert.ok(pieces.every((piece) => piece.to - piece.from <= week));
	assert.ok(pieces.slice(0, -1).every((piece, i) => piece.from === pieces[i + 1].to && piece.from % week === 0));
	assert.deepEqual(hoursOf(HOUR + 1, 3 * HOUR), [HOUR, 2 * HOUR]);
});

test('tiles of sound lie side by side at every level', () => {
	const ms = at('2026-11-07T02:10:00.123');

	for (let level = -4; level <= 13; level++) {
		const tile = tileAt(level, ms);

		assert.ok(tile.from <= ms && ms < tile.to);
		assert.ok(Number.isInteger(tile.points) && tile.points <= 32768);
		assert.equal(tile.from % 1, 0);
		assert.equal(tileAt(level, tile.to).from, tile.to);
		assert.ok(tileLength(level + 1) >= tileLength(level));
		assert.equal(tileAt(13, tile.from).from <= tile.from && tileAt(13, tile.from).to >= tile.to, true);
	}
	assert.equal(levelFor(200 / 1900), -4);
	assert.equal(levelFor(600e3 / 1900), 8);
	assert.ok(tilesOf(levelFor(HOUR / 1900), ms, ms + HOUR).length <= 9);
});

function dat(pairs, isSmall = false) {
	const buffer = new ArrayBuffer(24 + pairs.length * (isSmall ? 1 : 2));
	const view = new DataView(buffer);

	[2, isSmall ? 1 : 0, 48000, 512, pairs.length / 2, 1].forEach((value, i) => view.setInt32(4 * i, value, true));
	pairs.forEach((value, i) => isSmall ? view.setInt8(24 + i, value) : view.setInt16(24 + 2 * i, value, true));
	return buffer;
}

test('peaks are read, and what is none is refused', () => {
	assert.deepEqual([...parseDat(dat([-5, 300, -32768, 32767]))], [-5, 300, -32768, 32767]);
	assert.deepEqual([...parseDat(dat([-1, 127], true))], [-256, 32512]);
	assert.equal(parseDat(new ArrayBuffer(0)), null);
	assert.equal(parseDat(dat([1, 2, 3, 4]).slice(0, 28)), null, 'cut short');
});

test('a column has the extremes of all points that it touches', () => {
	const tile = { from: 1000, to: 1004 };
	const peaks = Int16Array.of(-1, 1, -2, 2, -9, 3, -4, 8);
	const out = new Int32Array(2);

	assert.ok(extremes(tile, peaks, 1001, 1002, out));
	assert.deepEqual([...out], [-2, 2]);
	assert.ok(extremes(tile, peaks, 1001.5, 1003.5, out));
	assert.deepEqual([...out], [-9, 8]);
	assert.ok(extremes(tile, peaks, 1002.1, 1002.2, out));
	assert.deepEqual([...out], [-9, 3]);
	assert.equal(extremes(tile, peaks, 1004, 1005, out), false);
});

test('sheets of pictures are aligned, and every moment has its tile', () => {
	for (const level of [0, 1, 5, 15]) {
		const ms = at('2026-11-07T02:10:00.9');
		const sheet = sheetAt(level, ms);
		const tile = sheet.from + (sheet.row * COLUMNS + sheet.column) * sheet.each;

		assert.equal(sheet.to - sheet.from, sheet.each * COLUMNS * ROWS);
		assert.ok(tile <= ms && ms < tile + sheet.each);
		assert.equal(sheet.from % SECOND, 0);
	}
	assert.equal(sheetLevel(0.1), 0);
	assert.ok(15 * DAY >= sheetAt(15, 0).to, 'within what the server takes');
});
