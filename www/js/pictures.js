/*
 * pictures.js - when each picture is shown, of what the player has loaded.
 *
 * hls.js makes fragments of MP4 out of segments; their headers name every
 * picture's time.  From these, and the moment that the playlist gives each
 * segment, follows the exact moment of a picture, and which picture is next:
 * no rate of pictures is assumed.
 *
 * The moment of a segment is that of its first picture in order of showing, as
 * it is for the server's cuts.
 */

const TICKS = 90000; /* a second, in MP4 as hls.js makes it of MPEG-TS */
const KEPT = 64; /* segments */

/* The boxes of a stretch of MP4: [type, start of content, end]. */
function* boxes(view, from, to) {
	while (from + 8 <= to) {
		const size = view.getUint32(from);

		if (size < 8 || from + size > to)
			return;
		yield [view.getUint32(from + 4), from + 8, from + size];
		from += size;
	}
}

const MOOF = 0x6d6f6f66;
const TRAF = 0x74726166;
const TFDT = 0x74666474;
const TRUN = 0x7472756e;

function* find(view, from, to, type) {
	for (const [found, start, end] of boxes(view, from, to))
		if (found === type)
			yield [start, end];
}

function decodeTime(view, start) {
	return view.getUint8(start) === 1
		? view.getUint32(start + 4) * 2 ** 32 + view.getUint32(start + 8) : view.getUint32(start + 4);
}

/* Adds the times of one run of samples, in ticks; returns where the next one begins. */
function addRun(view, start, end, from, times) {
	const flags = view.getUint32(start) & 0xffffff;
	const count = view.getUint32(start + 4);
	const fields = [0x100, 0x200, 0x400, 0x800].map((bit) => flags & bit ? 4 : 0);
	const stride = fields.reduce((a, b) => a + b);
	const first = start + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);

	if (!fields[0] || first + count * stride > end)
		return from;
	for (let i = 0; i < count; i++) {
		const at = first + i * stride;
		const offset = fields[3] ? view.getInt32(at + stride - 4) : 0;

		times.push(from + offset);
		from += view.getUint32(at);
	}
	return from;
}

/**
 * Times, in seconds, of the pictures in a fragment of MP4 (a Uint8Array), in
 * order of showing; empty where it holds none.
 */
export function pictureTimes(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const ticks = [];

	for (const [moof, moofEnd] of find(view, 0, view.byteLength, MOOF))
		for (const [traf, trafEnd] of find(view, moof, moofEnd, TRAF)) {
			let from = 0;

			for (const [tfdt] of find(view, traf, trafEnd, TFDT))
				from = decodeTime(view, tfdt);
			for (const [trun, trunEnd] of find(view, traf, trafEnd, TRUN))
				from = addRun(view, trun, trunEnd, from, ticks);
		}
	return Float64Array.from(ticks, (tick) => tick / TICKS).sort();
}

/** Milliseconds of a playlist's date, with the fraction of one that Date drops. */
export function exactDate(text) {
	const fraction = /\.\d{3}(\d+)/.exec(text);

	return Date.parse(text) + (fraction ? Number(`0.${fraction[1]}`) : 0);
}

/* A picture is found by its time though it was rounded on its way. */
const NEAR = 0.0005;

/** The last index with times[i] <= t, or -1. */
export function lastAtOrBefore(times, t) {
	let low = 0;
	let high = times.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (times[middle] <= t)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

/**
 * The pictures of the segments that were loaded last.  Times are seconds of the
 * player's clock; segments are known by a key (hls.js: sn), in their order.
 */
export function createPictures() {
	const segments = new Map(); /* key: { key, date, times }, oldest first */
	let order = []; /* by times[0], which are in starts */
	let starts = [];

	function sort() {
		order = [...segments.values()].sort((a, b) => a.times[0] - b.times[0]);
		starts = order.map((segment) => segment.times[0]);
	}

	/* The segment whose pictures are around t; null where none of them is loaded. */
	function around(t) {
		const place = lastAtOrBefore(starts, t + NEAR);
		const segment = order[place];

		if (!segment)
			return null;
		/* Behind the last picture, for as long as pictures last, is still it. */
		const times = segment.times;
		const length = times.length > 1 ? times.at(-1) - times.at(-2) : 0.1;

		return t <= times.at(-1) + Math.max(length, 0.1) + NEAR ? { segment, place } : null;
	}

	return {
		/** date: the segment's moment; times of pictureTimes(). */
		put(key, date, times) {
			if (!times.length)
				return;
			segments.delete(key);
			segments.set(key, { key, date, times });
			if (segments.size > KEPT)
				segments.delete(segments.keys().next().value);
			sort();
		},

		clear() {
			segments.clear();
			sort();
		},

		/** The picture that is shown at t: { key, time, moment, length }, or null. length: milliseconds until the next one. */
		at(t) {
			const found = around(t);

			if (!found)
				return null;
			const { key, date, times } = found.segment;
			const i = Math.max(0, lastAtOrBefore(times, t + NEAR));
			const next = times[i + 1];

			return {
				key,
				time: times[i],
				moment: date + (times[i] - times[0]) * 1000,
				length: next !== undefined ? (next - times[i]) * 1000 : i ? (times[i] - times[i - 1]) * 1000 : null,
			};
		},

		/** The time of the picture n places from the one at t (n may be negative); null where it is not loaded. */
		step(t, n) {
			const found = around(t);

			if (!found)
				return null;
			let place = found.place;
			let i = lastAtOrBefore(order[place].times, t + NEAR) + n;

			while (i < 0 && place > 0 && order[place - 1].key === order[place].key - 1)
				i += order[--place].times.length;
			while (i >= order[place].times.length && place + 1 < order.length && order[place + 1].key === order[place].key + 1)
				i -= order[place++].times.length;
			return order[place].times[i] ?? null;
		},

		/** The time of the first picture at or after a moment in one segment: a time, or null where it has none or is not loaded. */
		firstFrom(key, moment) {
			const segment = segments.get(key);

			if (!segment)
				return null;
			const { date, times } = segment;

			return times.find((time) => date + (time - times[0]) * 1000 >= moment - 1e-3) ?? null;
		},

		/** Whether a segment's pictures are known. */
		has: (key) => segments.has(key),
	};
}
