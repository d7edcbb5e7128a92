/*
 * What the cut panel says: sizes, times, names, advice.
 */
import './old-node.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { TYPES, adviceFor, cutArgs, expectedSeconds, formatBytes, hasRanges, planWords, roughly, safeName, typeOf, warningWords } from '../../../www/js/cutplan.js';

const unknown = { bytesPerSecond: null, picturesPerSecond: null };

test('sizes', () => {
	assert.deepEqual([0, 999, 1000, 9940, 9960, 99900, 999499, 999500, 48e6, 1.5e12, 5e15].map(formatBytes),
		['0 B', '999 B', '1.0 kB', '9.9 kB', '10 kB', '100 kB', '999 kB', '1.0 MB', '48 MB', '1.5 TB', '5000 TB']);
});

test('times that are only about right', () => {
	assert.deepEqual([0.1, 3.4, 89, 90, 3600, 5400, 7800].map(roughly), ['1 s', '3 s', '89 s', '2 min', '60 min', '1 h 30 min', '2 h 10 min']);
});

test('nothing is said of a time of which nothing is known', () => {
	assert.equal(expectedSeconds({ bytes: 1e6 }, unknown), null);
	assert.equal(expectedSeconds({ frames_to_encode: 3 }, { bytesPerSecond: 1e6, picturesPerSecond: 100 }), null);
	assert.equal(expectedSeconds({ bytes: 1e6, frames_to_encode: 500 }, { bytesPerSecond: 1e6, picturesPerSecond: null }), null);
	assert.equal(expectedSeconds({ bytes: 2e6, frames_to_encode: 100 }, { bytesPerSecond: 1e6, picturesPerSecond: 100 }), 3);
});

test('a plan in words, with a length and without', () => {
	assert.deepEqual(planWords(typeOf('smart'), { bytes: 547268, duration: 7, frames_to_encode: 1 }, unknown),
		[['Length', '0:07.000'], ['Size', '547 kB'], ['To encode', '1 picture']]);
	assert.deepEqual(planWords(typeOf('webm'), {}, unknown), [['Size', 'not known before it is made'], ['To encode', 'every picture']]);
});

test('arguments are those of /cut', () => {
	for (const type of TYPES)
		assert.equal(cutArgs(type).type, type.id);
	assert.equal(cutArgs(typeOf('mp4'), { faststart: true }).faststart, 'true');
	assert.equal(cutArgs(typeOf('smart'), { faststart: true }).faststart, null);
	assert.ok(hasRanges(typeOf('mp4'), true) && !hasRanges(typeOf('mp4'), false) && hasRanges(typeOf('smart'), false));
});

test('names are taken by all systems', () => {
	assert.equal(safeName('a/b:c*d?"e'), 'a-b-c-d-e');
	assert.equal(safeName('../../etc/passwd'), 'etc-passwd');
	assert.equal(safeName('...'), 'cut');
	assert.equal(safeName('  日本 🎬 '), '日本 🎬');
	assert.equal(safeName('x\u202egpj.exe'), 'x-gpj.exe');
	assert.ok([...safeName('🎬'.repeat(500))].length === 120);
});

test('a word for every refusal and warning, also those to come', () => {
	for (const status of [0, 400, 404, 406, 413, 500, 503, 599])
		assert.ok(adviceFor({ status, message: '' }, typeOf('smart')).advice);
	assert.match(adviceFor({ status: 406, message: 'contains holes: there is nothing' }, typeOf('smart')).title, /Nothing/);
	assert.equal(warningWords('of-tomorrow'), 'of-tomorrow');
});
