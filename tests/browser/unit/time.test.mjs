/* time.js: moments as they are typed, and as they are shown. */
import { seeded } from './old-node.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';

/* A zone with a summer time, for the clock of the place. */
process.env.TZ = 'America/New_York';
const time = await import('../../../www/js/time.js');

const UTC = { zone: 'utc', zero: null };
const LOCAL = { zone: 'local', zero: null };
const at = Date.parse('2026-11-07T02:00:00Z');
const now = Date.parse('2026-11-08T00:00:00Z');
const parse = (text, clock = UTC) => {
	const ms = time.parseTime(text, { clock, at, now });

	return ms === null ? null : time.isoTime(ms);
};

test('what is typed on a clock in UTC', () => {
	for (const [text, means] of [
		['2026-11-07', '2026-11-07T00:00:00.000'],
		['2026-11-07 03:04', '2026-11-07T03:04:00.000'],
		['2026-11-07T03:04:05', '2026-11-07T03:04:05.000'],
		['2026-11-07  03:04:05.25Z', '2026-11-07T03:04:05.250'],
		['  2026-11-07T03:04:05.9999 ', '2026-11-07T03:04:05.999'],
		['2026-11-07T03:04:05.', '2026-11-07T03:04:05.000'],
		['2026-11-07T03:04:05+02:00', '2026-11-07T01:04:05.000'],
		['2026-11-07T03:04:05-0530', '2026-11-07T08:34:05.000'],
		['2026-11-07t03:04:05z', '2026-11-07T03:04:05.000'],
		['now', '2026-11-08T00:00:00.000'],
		['NOW - 90s', '2026-11-07T23:58:30.000'],
		['now-2h30m', '2026-11-07T21:30:00.000'],
		['now-1d12h', '2026-11-06T12:00:00.000'],
		['@1794016804.25', '2026-11-07T02:00:04.250'],
		['@1794016804.001', '2026-11-07T02:00:04.001'],
		['12:30', '2026-11-07T12:30:00.000'],
		['9:05:01.5', '2026-11-07T09:05:01.500'],
		['+90s', '2026-11-07T02:01:30.000'],
		['+ 1:30', '2026-11-07T02:01:30.000'],
		['-1:30', '2026-11-07T01:58:30.000'],
		['-1:00:00.5', '2026-11-07T00:59:59.500'],
		['2024-02-29', '2024-02-29T00:00:00.000'],
	])
		assert.equal(parse(text), means, text);
});

test('what is no time', () => {
	for (const text of ['', ' ', 'bad', '2026-02-29', '2026-02-30', '2026-13-01', '2026-00-01', '2026-11-00', '2026-11-07 24:00', '2026-11-07 10:60',
		'2026-11-07 10:10:60', '26:00', 'now+5s', 'now-', 'now-5x', '@', '@-5', '@x', '+', '-', '+x', '2026-11', '2026', '5', '1:2:3:4', '2026-11-07X', 'NaN', '1e3'])
		assert.equal(parse(text), null, text);
});

test('the clock of the place, on both sides of its summer time', () => {
	assert.equal(parse('2026-11-07 03:04', LOCAL), '2026-11-07T08:04:00.000');
	assert.equal(parse('2026-07-07 03:04', LOCAL), '2026-07-07T07:04:00.000');
	assert.equal(parse('2026-11-07 03:04Z', LOCAL), '2026-11-07T03:04:00.000');
	/* at is still the 6th there. */
	assert.equal(parse('12:30', LOCAL), '2026-11-06T17:30:00.000');
	assert.equal(parse('12:30Z', LOCAL), '2026-11-07T12:30:00.000');
	assert.equal(time.formatTime(at, LOCAL), '2026-11-06 21:00:00.000');
});

test('a clock that counts from a start', () => {
	const clock = { zone: 'since', zero: at - 90 * time.MINUTE };

	for (const [text, means] of [['0', '2026-11-07T00:30:00.000'], ['1:30:00', '2026-11-07T02:00:00.000'], ['90m', '2026-11-07T02:00:00.000'], ['62:03', '2026-11-07T01:32:03.000'],
		['26:00:00', '2026-11-08T02:30:00.000'], ['-0:10', '2026-11-07T00:29:50.000'], ['2026-11-07 03:04', '2026-11-07T03:04:00.000'], ['now', '2026-11-08T00:00:00.000']])
		assert.equal(parse(text, clock), means, text);
	assert.equal(time.formatTime(at, clock), '1:30:00.000');
	assert.equal(time.formatClock(clock.zero + 5004, clock), '0:00:05.004');
	assert.equal(time.formatClock(clock.zero - 5000, clock, 0), '-0:00:05');
	assert.equal(time.formatClock(clock.zero + 26 * time.HOUR, clock, 0), '26:00:00');
	assert.equal(time.formatDate(at, clock), '');
});

test('lengths', () => {
	for (const [ms, digits, text] of [[0, 0, '0:00'], [999, 0, '0:00'], [1000, 0, '0:01'], [59999, 3, '0:59.999'], [60000, 0, '1:00'], [3723004, 3, '1:02:03.004'],
		[3723004, 1, '1:02:03.0'], [-500, 3, '-0:00.500'], [-500, 0, '0:00'], [90061000, 0, '25:01:01']])
		assert.equal(time.formatDuration(ms, digits), text, `${ms}, ${digits}`);
});

test('spans', () => {
	for (const [text, ms] of [['90s', 90000], ['2h30m', 9000000], ['1d12h', 129600000], ['0.5s', 500], ['', null], ['90', null], ['s', null], ['5 s', null], ['-5s', null]])
		assert.equal(time.parseSpan(text), ms, text);
});

test('hours of the server', () => {
	assert.equal(time.parseHour('2026-11-07T02'), at);
	assert.equal(time.parseHour('2026-11-07'), null);
	assert.equal(time.parseHour('garbage'), null);
});

test('what is shown, typed again, is the same moment', () => {
	const random = seeded(1);
	const clocks = [UTC, LOCAL, { zone: 'since', zero: at }];

	for (let i = 0; i < 3000; i++) {
		const ms = Math.floor(at + (random() - 0.5) * 400 * time.DAY);
		const clock = clocks[i % 3];
		const text = time.formatTime(ms, clock);
		const back = time.parseTime(text, { clock, at, now });

		/* The hour that there is twice in autumn may be either. */
		assert.ok(back === ms || clock === LOCAL && Math.abs(back - ms) === time.HOUR, `${text} of ${ms} is ${back}`);
		assert.equal(Date.parse(`${time.isoTime(ms)}Z`), ms);
		assert.equal(time.isoTime(ms + 0.9), time.isoTime(ms), 'never later than it is');
	}
});
