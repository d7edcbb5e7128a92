/* The moment of every picture, from the bytes of a segment and of its fragment. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { createPictures, exactDate, lastAtOrBefore, pictureTimes, sourceTimes } from '../../../www/js/pictures.js';

const u32 = (n) => [n >>> 24 & 255, n >>> 16 & 255, n >>> 8 & 255, n & 255];
const box = (type, ...content) => {
	const bytes = content.flat();

	return [...u32(bytes.length + 8), ...Buffer.from(type), ...bytes];
};

/* A fragment: samples of [ticks until the next, offset of showing]; as hls.js writes it. */
function fragment(from, samples) {
	const trun = [...u32(0x01000f01), ...u32(samples.length), ...u32(0),
		...samples.flatMap(([length, offset]) => [...u32(length), ...u32(1), ...u32(0), ...u32(offset)])];
	const tfdt = [...u32(0x01000000), ...u32(Math.floor(from / 2 ** 32)), ...u32(from % 2 ** 32)];

	return new Uint8Array([...box('moof', box('mfhd', u32(0), u32(1)), box('traf', box('tfhd', u32(0), u32(1)), box('tfdt', tfdt), box('trun', trun))),
		...box('mdat', [1, 2, 3])]);
}

/* A packet in which a picture begins; options: pid, stream, stuffing. */
function packet(pts, { stream = 0xe0, stuffing = 0 } = {}) {
	const bytes = new Uint8Array(188).fill(0xff);
	const pes = [0, 0, 1, stream, 0, 0, 0x80, 0x80, 5,
		0x21 | Number(BigInt(pts) >> 29n) & 0x0e, Number(BigInt(pts) >> 22n) & 255, Number(BigInt(pts) >> 14n) & 0xfe | 1,
		Number(BigInt(pts) >> 7n) & 255, pts * 2 & 0xfe | 1];

	bytes.set([0x47, 0x41, 0, stuffing ? 0x30 : 0x10]);
	if (stuffing)
		bytes[4] = stuffing - 1;
	bytes.set(pes, 4 + stuffing);
	return bytes;
}

const segment = (...packets) => new Uint8Array(Buffer.concat(packets));

test('times of an MP4 fragment are in the order of showing', () => {
	/* I P B B, shown as I B B P. */
	const bytes = fragment(900000, [[3000, 3000], [3000, 9000], [3000, 0], [3000, 0]]);

	assert.deepEqual([...pictureTimes(bytes)], [903000, 906000, 909000, 912000].map((tick) => tick / 90000));
});

test('offsets before decoding, and times beyond 32 bits', () => {
	const from = 2 ** 32 + 90000;

	assert.deepEqual([...pictureTimes(fragment(from, [[3000, -1500]]))], [(from - 1500) / 90000]);
});

test('what is no fragment has no pictures; a short one has those it has', () => {
	const bytes = fragment(0, [[3000, 0], [3000, 0]]);

	assert.equal(pictureTimes(new Uint8Array(0)).length, 0);
	assert.equal(pictureTimes(new Uint8Array(box('ftyp', [1, 2, 3, 4]))).length, 0);
	for (let n = 0; n < bytes.length; n++)
		assert.ok(pictureTimes(bytes.subarray(0, n)).length <= 2);
});

test('times of pictures in MPEG-TS, whatever else is in it', () => {
	const bytes = segment(packet(100, { stream: 0xc0 }), packet(93000), packet(99000, { stuffing: 8 }), packet(90000), new Uint8Array(188), packet(96000));

	assert.deepEqual([...sourceTimes(bytes)], [90000, 93000, 96000, 99000].map((tick) => tick / 90000));
	assert.equal(sourceTimes(new Uint8Array(1000)).length, 0);
});

test('over the wrap of the clock they go on', () => {
	const times = sourceTimes(segment(packet(2 ** 33 - 3000), packet(0), packet(3000)));

	assert.deepEqual([...times].map((time) => Math.round((time - times[0]) * 90000)), [0, 3000, 6000]);
});

test('dates have their microseconds', () => {
	assert.equal(exactDate('2026-11-07T02:00:00.016667Z'), Date.parse('2026-11-07T02:00:00.016Z') + 0.667);
	assert.equal(exactDate('2026-11-07T02:00:00Z'), Date.parse('2026-11-07T02:00:00Z'));
});

test('the last index at or before', () => {
	assert.deepEqual([0, 1, 1.5, 2, 9].map((t) => lastAtOrBefore([1, 2, 3], t)), [-1, 0, 0, 1, 2]);
	assert.equal(lastAtOrBefore([], 1), -1);
});

const DATE = Date.parse('2026-11-07T02:00:00Z');
const TIMES = (from, n) => Float64Array.from({ length: n }, (_, i) => from + i / 25);
const SOURCE = (n) => Float64Array.from({ length: n }, (_, i) => 1000 + i / 25);

test('a picture is known by any instant of it, with its moment and its length', () => {
	const pictures = createPictures();

	pictures.put(7, DATE, TIMES(10, 50), SOURCE(50));
	pictures.put(8, DATE + 2000, TIMES(12, 50), SOURCE(50));
	for (const within of [0, 0.001, 0.039]) {
		const picture = pictures.at(10.4 + within);

		assert.equal(picture.key, 7);
		assert.ok(Math.abs(picture.moment - DATE - 400) < 1e-6);
		assert.ok(Math.abs(picture.length - 40) < 1e-6);
	}
	assert.equal(pictures.at(12).moment, DATE + 2000);
	assert.equal(pictures.at(9), null);
	assert.equal(pictures.at(20), null);
});

test('where the player shows the first picture earlier, moments stay those of the source', () => {
	const pictures = createPictures();
	const times = TIMES(10, 50);

	times[0] -= 0.05;
	pictures.put(1, DATE, times, SOURCE(50));
	assert.equal(pictures.at(9.95).moment, DATE);
	assert.ok(Math.abs(pictures.at(10.041).moment - DATE - 40) < 1e-6);
	assert.equal(pictures.firstFrom(1, DATE), 9.95);
	assert.equal(pictures.firstFrom(1, DATE + 1), times[1]);
});

test('where the player drops the first pictures, those it has keep their moments', () => {
	const pictures = createPictures();

	pictures.put(1, DATE, TIMES(10, 45), SOURCE(50));
	assert.ok(Math.abs(pictures.at(10).moment - DATE - 200) < 1e-6);
});

test('the first picture at or after a moment, as a cut begins', () => {
	const pictures = createPictures();

	pictures.put(1, DATE, TIMES(10, 50), SOURCE(50));
	assert.equal(pictures.firstFrom(1, DATE + 80), 10.08);
	assert.equal(pictures.firstFrom(1, DATE + 80.5), 10.12);
	assert.equal(pictures.firstFrom(1, DATE + 1961), null);
	assert.equal(pictures.firstFrom(2, DATE), null);
});

test('steps go over the ends of segments, and stop where nothing is loaded', () => {
	const pictures = createPictures();

	pictures.put(1, DATE, TIMES(10, 50), SOURCE(50));
	pictures.put(2, DATE + 2000, TIMES(12, 50), SOURCE(50));
	pictures.put(9, DATE + 60000, TIMES(14, 50), SOURCE(50));
	assert.equal(pictures.step(11.96, 1), 12);
	assert.equal(pictures.step(12, -1), 11.96);
	assert.equal(pictures.step(10, 55), 12.2);
	assert.equal(pictures.step(13.96, 1), null, 'segments between are not loaded');
	assert.equal(pictures.step(10, -1), null);
});

test('what the player has is known however much that is, and what it has dropped is not', () => {
	const pictures = createPictures();

	for (let sn = 0; sn < 500; sn++)
		pictures.put(sn, DATE + sn * 2000, TIMES(sn * 2, 50), SOURCE(50));
	assert.equal(pictures.firstFrom(3, DATE + 7000), 7);
	pictures.prune((sn, time) => sn === 4 || time >= 101);
	assert.equal(pictures.firstFrom(3, DATE + 7000), null);
	assert.equal(pictures.at(7), null);
	assert.equal(pictures.firstFrom(4, DATE + 8000), 8, 'on its way');
	assert.equal(pictures.firstFrom(50, DATE + 101000), 101, 'in part is there');
	assert.equal(pictures.firstFrom(499, DATE + 999000), 999);
});

test('what is put over others takes their place', () => {
	const pictures = createPictures();

	pictures.put(2, DATE + 12000, TIMES(11.9, 50), SOURCE(50));
	pictures.put(1, DATE, TIMES(10, 50), SOURCE(50));
	assert.equal(pictures.at(11.96).key, 1, 'the last of what came last');
	assert.equal(pictures.at(12.02).key, 2);
	assert.ok(Math.abs(pictures.at(12.02).moment - DATE - 12120) < 1e-6, 'and what is left of the other keeps its moments');
	pictures.put(3, DATE, TIMES(9, 100), SOURCE(100));
	assert.equal(pictures.firstFrom(1, DATE), null, 'nothing is left of it');
});

test('what was loaded long ago is forgotten in the end', () => {
	const pictures = createPictures();

	for (let i = 0; i < 5000; i++)
		pictures.put(i, DATE + i * 2000, TIMES(i * 2, 50), SOURCE(50));
	assert.equal(pictures.at(0), null);
	assert.ok(pictures.at(9998.5));
});
