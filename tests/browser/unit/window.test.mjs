/* Which stretch of the archive is played. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { HOUR, MINUTE, SECOND } from '../../../www/js/time.js';
import { ageOf, isInside, isLive, liveFrom, windowAround } from '../../../www/js/window.js';

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

test('a live window begins some minutes before what is watched', () => {
	assert.ok(liveFrom(START) < START);
	assert.ok(START - liveFrom(START) <= 6 * MINUTE);
});
